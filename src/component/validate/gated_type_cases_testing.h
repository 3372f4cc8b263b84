#pragma once

// Cases that need gated features, about types: those of WebAssembly 3.0 and 64-bit memories.

#include "component/validate/validator_case_testing.h"

namespace tenon::component {

// clang-format off
inline constexpr ValidatorCase GATED_TYPE_CASES[] = {
    {"Subtyping", "ComponentTypesAsTypesAreCompared",
     R"((component (type $t (component (import "a" (func)) (export "b" (func)))) (component
         $c (type $t (component (import "a" (func)) (export "b" (func)))) (import "t" (type
         (eq $t)))) (instance (instantiate $c (with "t" (type $t))))))",
     "071901410401400001000300016101000140000100040001620101042c0061736d0d00010007190141040140"
     "00010003000161010001400001000400016201010a070100017403000005080100000101740300",
     nullptr},
    {"Subtyping", "ComponentTypesAsTypesMustMatch",
     R"((component (type $t (component (export "b" (func (param "x" u8))))) (component $c
         (type $t (component (export "b" (func)))) (import "t" (type (eq $t)))) (instance
         (instantiate $c (with "t" (type $t))))))",
     "071101410201400101787d010004000162010004210061736d0d000100070e01410201400001000400016201"
     "000a070100017403000005080100000101740300",
     "type mismatch for import `t`"},
    {"Subtyping", "FunctionTypesAsTypesAreCompared",
     R"((component (type $t (func (param "x" u8))) (component $c (type $t (func (param "x"
         u8))) (import "t" (type (eq $t)))) (instance (instantiate $c (with "t" (type $t))))))",
     "070801400101787d0100041b0061736d0d000100070801400101787d01000a07010001740300000508010000"
     "0101740300",
     nullptr},
    {"Subtyping", "InstanceTypesAsTypesBindTheirResources",
     R"((component (type $t (instance (export "r" (type $r (sub resource))) (export "f"
         (func (param "x" (own $r)))))) (component $c (type $t (instance (export "r" (type $r
         (sub resource))) (export "f" (func (param "x" (own $r)))))) (import "t" (type (eq
         $t)))) (instance (instantiate $c (with "t" (type $t))))))",
     "071a0142040400017203010169000140010178010100040001660102042d0061736d0d000100071a01420404"
     "000172030101690001400101780101000400016601020a070100017403000005080100000101740300",
     nullptr},
    {"Subtyping", "InstanceTypesAsTypesMustMatch",
     R"((component (type $t (instance (export "r" (type $r (sub resource))) (export "f"
         (func (param "x" (own $r)))))) (component $c (type $t (instance (export "r" (type $r
         (sub resource))) (export "f" (func (param "x" (borrow $r)))))) (import "t" (type (eq
         $t)))) (instance (instantiate $c (with "t" (type $t))))))",
     "071a0142040400017203010169000140010178010100040001660102042d0061736d0d000100071a01420404"
     "000172030101680001400101780101000400016601020a070100017403000005080100000101740300",
     "type mismatch for import `t`"},
    {"Subtyping", "AComponentsOwnResourcesAreSupplied",
     R"((component (component $a (type $r' (resource (rep i32))) (export $r "r" (type $r'))
         (core func $d (canon resource.drop $r')) (core module $m (func (export "f") (result
         i32) unreachable)) (core instance $i (instantiate $m)) (func (export "make") (result
         (own $r)) (canon lift (core func $i "f")))) (component $c (import "x" (component
         (export "r" (type $r (sub resource))) (export "make" (func (result (own $r)))))))
         (instance (instantiate $c (with "x" (component $a))))))",
     "046b0061736d0d0001000704013f7f000b0701000172030000080301030001210061736d0100000001050160"
     "00017f03020100070501016600000a05010300000b0204010000000707026901400000020607010000010001"
     "6608060100000100030b0a0100046d616b65010000042c0061736d0d000100071a0141040400017203010169"
     "0001400000010400046d616b6501020a0601000178040005080100010101780400",
     nullptr},
    {"Subtyping", "AComponentsOwnResourcesMustBeThere",
     R"((component (component $a (type $r' (resource (rep i32))) (export $r "s" (type $r')))
         (component $c (import "x" (component (export "r" (type $r (sub resource))))))
         (instance (instantiate $c (with "x" (component $a))))))",
     "04170061736d0d0001000704013f7f000b0701000173030000041b0061736d0d000100070901410104000172"
     "03010a0601000178040005080100010101780400",
     "missing expected export `r`"},
    {"CoreTypes", "APageHasOneByteOr65536",
     R"((component (core type (module (import "a" "b" (memory 1 (pagesize 2)))))))",
     "030c015001000161016202080101",
     "page size must be 1 or 65536"},
    {"CoreTypes", "TheMinimumIsNotAboveTheMaximum",
     R"((component (core type (module (import "a" "b" (memory 2 1))))))",
     "030c015001000161016202010201",
     "size minimum must not be greater than maximum"},
    {"CoreTypes", "ATagHasNoResults",
     R"((component (core type (module (type (func (result i32))) (import "a" "b" (tag (type
         0)))))))",
     "0310015002016000017f0001610162040000",
     "non-empty tag result type"},
    {"CoreTypes", "AFunctionImportIsOfAFunctionType",
     R"((component (core type (module (type $s (struct)) (import "a" "f" (func (type
         $s)))))))",
     "030d015002015f0000016101660000",
     "is not a function type"},
    {"CoreTypes", "AnOuterAliasInAModuleTypeOfItself",
     R"((component (core type (module (type (func)) (alias outer 0 0 (type)) (import "a" "f"
         (func (type 1)))))))",
     "031301500301600000021001000000016101660001",
     nullptr},
    {"CoreTypes", "AStructsSubtypeMayHaveMoreFields",
     R"((component (core rec (type $a (sub (struct (field (mut i32))))) (type $b (sub $a
         (struct (field (mut i32)) (field i64)))))))",
     "0312014e0250005f017f015001005f027f017e00",
     nullptr},
    {"CoreTypes", "AStructsSubtypeKeepsItsFields",
     R"((component (core rec (type $a (sub (struct (field (mut i32))))) (type $b (sub $a
         (struct (field i32)))))))",
     "0310014e0250005f017f015001005f017f00",
     "sub type must match super type"},
    {"CoreTypes", "AMutableFieldIsInvariant",
     R"((component (core rec (type $a (sub (struct (field (mut anyref))))) (type $b (sub $a
         (struct (field (mut eqref))))))))",
     "0310014e0250005f016e015001005f016d01",
     "sub type must match super type"},
    {"CoreTypes", "AFieldThatIsNotMutableIsCovariant",
     R"((component (core rec (type $a (sub (struct (field anyref)))) (type $b (sub $a
         (struct (field eqref)))) (type $c (sub $b (struct (field i31ref)))) (type $d (sub $b
         (struct (field structref)))) (type $e (sub $d (struct (field (ref null $a))))) (type
         $f (sub $e (struct (field nullref)))))))",
     "032d014e0650005f016e005001005f016d005001015f016c005001015f016b005001035f016300005001045f"
     "017100",
     nullptr},
    {"CoreTypes", "AFunctionsSubtypeTakesMore",
     R"((component (core rec (type $a (sub (func (param (ref null $a)) (result funcref))))
         (type $b (sub $a (func (param funcref) (result (ref null $a))))) (type $c (sub $b
         (func (param funcref) (result nullfuncref)))) )))",
     "031c014e0350006001630001705001006001700163005001016001700173",
     nullptr},
    {"CoreTypes", "AFunctionIsNoStruct",
     R"((component (core rec (type $a (sub (func (result structref)))) (type $b (sub $a
         (func (result (ref null $a))))))))",
     "0311014e0250006000016b5001006000016300",
     "sub type must match super type"},
    {"CoreTypes", "ExceptionsAndExternsHaveTheirOwnBottom",
     R"((component (core rec (type $a (sub (func (result exnref externref)))) (type $b (sub
         $a (func (result nullexnref nullexternref)))) )))",
     "0312014e025000600002696f5001006000027472",
     nullptr},
    {"CoreTypes", "AModulesTypesMayReferToOneAnother",
     R"((component (core module (rec (type $a (struct (field (ref null $b)))) (type $b
         (array (mut i8)))) (import "x" "g" (global (ref null $a))))))",
     "01200061736d01000000010b014e025f016301005e78010209010178016703630000",
     nullptr},
};
// clang-format on

}  // namespace tenon::component

#pragma once

// Cases about index spaces, types and their subtypes.

#include "component/validate/validator_case_testing.h"

namespace tenon::component {

// clang-format off
inline constexpr ValidatorCase TYPE_CASES[] = {
    {"IndexSpaces", "AnEmptyComponentIsValid",
     R"((component))",
     "",
     nullptr},
    {"IndexSpaces", "ATypeIndexMustBeDefinedBefore",
     R"((component (type (list 0))))",
     "0703017000",
     "unknown type 0: type index out of bounds"},
    {"IndexSpaces", "AValueTypeIsNoFunctionType",
     R"((component (type (func)) (type (option 0))))",
     "070702400001006b00",
     "type index 0 is not a defined type"},
    {"IndexSpaces", "AnInstanceImportNeedsAnInstanceType",
     R"((component (type (func)) (import "a" (instance (type 0)))))",
     "070501400001000a06010001610500",
     "type index 0 is not an instance type"},
    {"IndexSpaces", "AnExportsIndexMustExist",
     R"((component (export "a" (func 3))))",
     "0b0701000161010300",
     "unknown function 3: function index out of bounds"},
    {"IndexSpaces", "ACoreItemsIndexMustExist",
     R"((component (core instance (export "a" (memory 0)))))",
     "020701010101610200",
     "core memory index out of bounds"},
    {"Types", "ARecordNeedsAField",
     R"((component (type (record))))",
     "0703017200",
     "record type must have at least one field"},
    {"Types", "FieldsAreStronglyUnique",
     R"((component (type (record (field "a-B" u8) (field "A-b" u8)))))",
     "070d01720203612d427d03412d627d",
     "record field name `A-b` conflicts with previous record field name `a-B`"},
    {"Types", "LabelsAreInKebabCase",
     R"((component (type (enum "oneTwo"))))",
     "070a016d01066f6e6554776f",
     "enum tag name `oneTwo` is not in kebab case"},
    {"Types", "LabelsAreNotEmpty",
     R"((component (type (variant (case "")))))",
     "0706017101000000",
     "variant case name cannot be empty"},
    {"Types", "ParametersAreStronglyUnique",
     R"((component (type (func (param "x" u8) (param "X" u8)))))",
     "070b01400201787d01587d0100",
     "function parameter name `X` conflicts"},
    {"Types", "AResultHasNoBorrow",
     R"((component (import "r" (type $r (sub resource))) (type (func (result (list (borrow )"
     R"($r)))))))",
     "0a060100017203010709036800700140000002",
     "function result cannot contain a `borrow` type"},
    {"Types", "AFutureHasNoBorrow",
     R"((component (import "r" (type $r (sub resource))) (type (future (borrow $r)))))",
     "0a060100017203010706026800650101",
     "`future` payload cannot contain a `borrow` type"},
    {"Types", "AStreamOfCharactersIsRefused",
     R"((component (type (stream char))))",
     "070401660174",
     "`stream<char>` is not valid"},
    {"Types", "AHandleNeedsAResource",
     R"((component (type u8) (type (own 0))))",
     "0704027d6900",
     "type index 0 is not a resource type"},
    {"Types", "AResourceIsDefinedInComponentsOnly",
     R"((component (type (instance (type (resource (rep i32)))))))",
     "0707014201013f7f00",
     "resources can only be defined within a concrete component"},
    {"Types", "ADestructorTakesTheRepresentation",
     R"((component (core module $m (func (export "d"))) (core instance $i (instantiate $m)) )"
     R"((type (resource (rep i32) (dtor (core func $i "d"))))))",
     "011f0061736d0100000001040160000003020100070501016400000a040102000b0204010000000607010000"
     "010001640705013f7f0100",
     "core function 0 has wrong signature for a destructor"},
    {"Types", "AMapsKeyIsSimple",
     R"((component (type (map f32 u8))))",
     "07040163767d",
     "invalid map key type f32"},
    {"Types", "AMapsValueHasNoHandle",
     R"((component (type (map u8 (future)))))",
     "0706026500637d00",
     "map value type cannot contain a handle"},
    {"Types", "AFixedListHasALength",
     R"((component (type (list u8 0))))",
     "070401677d00",
     "must have more than zero elements"},
    {"Types", "ATypeIsNotTooLarge",
     R"((component (type (list u64 33554432))))",
     "070701677780808010",
     "takes 268435456 bytes"},
    {"Subtyping", "AnInstanceMayExportMore",
     R"((component (import "i" (instance $i (export "a" (func)) (export "b" (func)))) )"
     R"((component $c (import "i" (instance (export "b" (func))))) (instance (instantiate $c )"
     R"((with "i" (instance $i))))))",
     "0719014204014000010004000161010001400001000400016201010a0601000169050004200061736d0d0001"
     "00070e01420201400001000400016201000a0601000169050005080100000101690500",
     nullptr},
    {"Subtyping", "AnInstanceMayNotExportLess",
     R"((component (import "i" (instance $i)) (component $c (import "i" (instance (export "b" )"
     R"((func))))) (instance (instantiate $c (with "i" (instance $i))))))",
     "07030142000a0601000169050004200061736d0d000100070e01420201400001000400016201000a06010001"
     "69050005080100000101690500",
     "missing expected export `b`"},
    {"Subtyping", "AFieldsTypeMustBeTheSame",
     R"((component (type $a (record (field "price" f64))) (component $c (type $b (record )"
     R"((field "price" u64))) (import "item" (type (eq $b)))) (instance (instantiate $c (with )"
     R"("item" (type $a))))))",
     "070a0172010570726963657504200061736d0d000100070a017201057072696365770a0a0100046974656d03"
     "0000050b01000001046974656d0300",
     "field price: expected u64, found f64"},
    {"Subtyping", "FunctionsAreEqual",
     R"((component (import "f" (func $f (param "x" u8))) (component $c (import "f" (func )"
     R"((param "y" u8)))) (instance (instantiate $c (with "f" (func $f))))))",
     "070801400101787d01000a06010001660100041a0061736d0d000100070801400101797d01000a0601000166"
     "010005080100000101660100",
     "expected parameter named `y`, found `x`"},
    {"Subtyping", "AnAsyncFunctionIsAnother",
     R"((component (import "f" (func $f async)) (component $c (import "f" (func))) (instance )"
     R"((instantiate $c (with "f" (func $f))))))",
     "070501430001000a0601000166010004170061736d0d000100070501400001000a0601000166010005080100"
     "000101660100",
     "expected a sync function, found an async function"},
    {"Subtyping", "AComponentMayImportLess",
     R"((component (component $a) (component $c (import "c" (component (import "x" (func))))) )"
     R"((instance (instantiate $c (with "c" (component $a))))))",
     "04080061736d0d00010004200061736d0d000100070e01410201400001000300017801000a06010001630400"
     "05080100010101630400",
     nullptr},
    {"Subtyping", "AComponentMayNotImportMore",
     R"((component (component $a (import "x" (func))) (component $c (import "c" (component))) )"
     R"((instance (instantiate $c (with "c" (component $a))))))",
     "04170061736d0d000100070501400001000a0601000178010004150061736d0d00010007030141000a060100"
     "0163040005080100010101630400",
     "missing import named `x`"},
    {"Subtyping", "ExportsMayDependOnImportedResources",
     R"((component (component $a (import "r" (type $r (sub resource))) (import "f" (func $f )"
     R"((result (own $r)))) (export "g" (func $f))) (component $c (import "c" (component )"
     R"((import "r" (type $r (sub resource))) (import "f" (func (result (own $r)))) (export )"
     R"("g" (func (result (own $r))))))) (instance (instantiate $c (with "c" (component )"
     R"($a))))))",
     "042a0061736d0d0001000a060100017203010707026900400000010a060100016601020b0701000167010000"
     "04370061736d0d00010007250141070300017203010169000140000001030001660102016900014000000304"
     "00016701040a0601000163040005080100010101630400",
     nullptr},
    {"Subtyping", "ExportsMayNotMixUpResources",
     R"((component (component $a (import "r" (type $r (sub resource))) (import "s" (type $s )"
     R"((sub resource))) (import "f" (func $f (result (own $s)))) (export "g" (func $f))) )"
     R"((component $c (import "c" (component (import "r" (type $r (sub resource))) (import )"
     R"("s" (type $s (sub resource))) (import "f" (func (result (own $s)))) (export "g" (func )"
     R"((result (own $r))))))) (instance (instantiate $c (with "c" (component $a))))))",
     "042f0061736d0d0001000a0b02000172030100017303010707026901400000020a060100016601030b070100"
     "0167010000043d0061736d0d000100072b014108030001720301030001730301016901014000000203000166"
     "010301690001400000040400016701050a0601000163040005080100010101630400",
     "resource types are not the same"},
    {"Resources", "ImportedResourcesAreDistinct",
     R"((component (import "a" (type $a (sub resource))) (import "b" (type $b (sub )"
     R"(resource))) (component $c (import "x" (type $x (sub resource))) (import "y" (type (eq )"
     R"($x)))) (instance (instantiate $c (with "x" (type $a)) (with "y" (type $b))))))",
     "0a0b020001610301000162030104160061736d0d0001000a0c020001780301000179030000050c0100000201"
     "78030001790301",
     "resource types are not the same"},
    {"Resources", "AnAliasIsTheSameResource",
     R"((component (import "a" (type $a (sub resource))) (import "b" (type $b (eq $a))) )"
     R"((component $c (import "x" (type $x (sub resource))) (import "y" (type (eq $x)))) )"
     R"((instance (instantiate $c (with "x" (type $a)) (with "y" (type $b))))))",
     "0a0c02000161030100016203000004160061736d0d0001000a0c020001780301000179030000050c01000002"
     "0178030001790301",
     nullptr},
    {"Resources", "EveryInstanceDefinesItsOwn",
     R"((component (component $c (type $r (resource (rep i32))) (export "r" (type $r))) )"
     R"((instance $x (instantiate $c)) (instance $y (instantiate $c)) (alias export $x "r" )"
     R"((type $xr)) (alias export $y "r" (type $yr)) (component $e (import "x" (type $x (sub )"
     R"(resource))) (import "y" (type (eq $x)))) (instance (instantiate $e (with "x" (type )"
     R"($xr)) (with "y" (type $yr))))))",
     "04170061736d0d0001000704013f7f000b0701000172030000050702000000000000060b0203000001720300"
     "01017204160061736d0d0001000a0c020001780301000179030000050c010001020178030001790301",
     "resource types are not the same"},
    {"Resources", "AnInstancesExportsAreAboutWhatItWasGiven",
     R"((component (type $r (resource (rep i32))) (component $c (import "x" (type $x (sub )"
     R"(resource))) (export "y" (type $x))) (instance $i (instantiate $c (with "x" (type )"
     R"($r)))) (alias export $i "y" (type $y)) (core func (canon resource.rep $y))))",
     "0704013f7f0004190061736d0d0001000a060100017803010b07010001790300000508010000010178030006"
     "060103000001790803010401",
     nullptr},
    {"Resources", "OnlyTheDefinerSeesTheRepresentation",
     R"((component (import "r" (type $r (sub resource))) (core func (canon resource.rep $r))))",
     "0a060100017203010803010400",
     "type 0 is not a local resource"},
    {"Resources", "AnAscribedExportHidesTheResource",
     R"((component (component $c (type $r (resource (rep i32))) (export "a" (type $r)) )"
     R"((export "b" (type $r) (type (sub resource)))) (instance $c (instantiate $c)) )"
     R"((component $e (import "x" (type $x (sub resource))) (import "y" (type (eq $x)))) )"
     R"((instance (instantiate $e (with "x" (type $c "a")) (with "y" (type $c "b"))))))",
     "041f0061736d0d0001000704013f7f000b0f0200016103000000016203000103010504010000000416006173"
     "6d0d0001000a0c020001780301000179030000060b0203000001610300000162050c01000102017803000179"
     "0301",
     "type mismatch for import `y`: resource types are not the same"},
    {"Resources", "AnAscribedExportIsValid",
     R"((component (type $r (resource (rep i32))) (export "a" (type $r)) (export "b" (type )"
     R"($r) (type (sub resource)))))",
     "0704013f7f000b0f020001610300000001620300010301",
     nullptr},
    {"Aliases", "AnExportMustBeThere",
     R"((component (instance $i) (alias export $i "x" (func))))",
     "05030101000606010100000178",
     "instance 0 has no export named `x`"},
    {"Aliases", "AnExportMustBeOfTheSort",
     R"((component (import "i" (instance $i (export "x" (func)))) (alias export $i "x" )"
     R"((component))))",
     "070e01420201400001000400017801000a060100016905000606010400000178",
     "export `x` for instance 0 is not a component"},
    {"Aliases", "AnOuterAliasCountsScopes",
     R"((component (alias outer 1 0 (type))))",
     "06050103020100",
     "invalid outer alias count of 1"},
    {"Aliases", "NoResourceLeavesItsComponent",
     R"((component $c (type $r (resource (rep i32))) (type $o (own $r)) (component (alias )"
     R"(outer $c $o (type)))))",
     "0706023f7f006900040f0061736d0d00010006050103020101",
     "transitively refers to resources"},
    {"Aliases", "AResourceMayEnterAType",
     R"((component $c (type $r (resource (rep i32))) (type (instance (alias outer $c $r )"
     R"((type))))))",
     "070b023f7f0042010203020100",
     nullptr},
    {"Aliases", "ATypeAliasesTypesAndInstancesOnly",
     R"((component $c (component $d) (type (component (alias outer $c $d (component))))))",
     "04080061736d0d00010007080141010204020100",
     "may only refer to types or instances"},
};
// clang-format on

}  // namespace tenon::component

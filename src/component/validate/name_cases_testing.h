#pragma once

// Cases about names, who sees what, and instantiation.

#include "component/validate/validator_case_testing.h"

namespace tenon::component {

// clang-format off
inline constexpr ValidatorCase NAME_CASES[] = {
    {"Names", "AVersionIsSemantic",
     R"((component (import "a:b/c@1.2" (instance))))",
     "07030142000a0e010009613a622f6340312e320500",
     "is not a semantic version"},
    {"Names", "NamesAreStronglyUnique",
     R"((component (import "foo-bar" (func)) (import "fooBAR" (func))))",
     "070501400001000a0c010007666f6f2d6261720100070501400001000a0b010006666f6f4241520101",
     "is not in kebab case"},
    {"Names", "HyphensDoNotMakeADifference",
     R"((component (import "foo-bar" (func)) (import "FOOBAR" (func))))",
     "070501400001000a0c010007666f6f2d6261720100070501400001000a0b010006464f4f4241520101",
     "import name `FOOBAR` conflicts with previous name `foo-bar`"},
    {"Names", "ImportsAndExportsAreApart",
     R"((component (import "a" (func $f)) (export "a" (func $f))))",
     "070501400001000a060100016101000b0701000161010000",
     nullptr},
    {"Names", "AMethodTakesItsResource",
     R"((component (import "r" (type $r (sub resource))) (import "[method]r.m" (func (param )"
     R"("self" (borrow $r))))))",
     "0a06010001720301070d02680040010473656c660101000a1001000b5b6d6574686f645d722e6d0102",
     nullptr},
    {"Names", "AMethodNeedsSelf",
     R"((component (import "r" (type $r (sub resource))) (import "[method]r.m" (func (param )"
     R"("x" (borrow $r))))))",
     "0a06010001720301070a026800400101780101000a1001000b5b6d6574686f645d722e6d0102",
     "first argument called `self`"},
    {"Names", "AMethodsResourceHasTheName",
     R"((component (import "r" (type $r (sub resource))) (import "[method]s.m" (func (param )"
     R"("self" (borrow $r))))))",
     "0a06010001720301070d02680040010473656c660101000a1001000b5b6d6574686f645d732e6d0102",
     "does not match expected resource name `r`"},
    {"Names", "AConstructorReturnsItsResource",
     R"((component (import "r" (type $r (sub resource))) (import "[constructor]r" (func )"
     R"((result u8)))))",
     "0a060100017203010705014000007d0a1301000e5b636f6e7374727563746f725d720101",
     "function should return `(own $T)`"},
    {"Names", "AStaticFunctionNeedsAResource",
     R"((component (import "[static]r.f" (func))))",
     "070501400001000a1001000b5b7374617469635d722e660100",
     "static resource name is not known in this context"},
    {"Names", "AMethodIsNotNamedAsItsResource",
     R"((component (import "r" (type $r (sub resource))) (import "[static]r.r" (func))))",
     "0a06010001720301070501400001000a1001000b5b7374617469635d722e720101",
     "conflicts with previous name `r`"},
    {"Names", "ImplementsIsForInstances",
     R"((component (import "a" (implements "b:c/d") (func))))",
     "070501400001000a0e01020161010005623a632f640100",
     "only instances can have an `implements`"},
    {"Names", "GettersAreGated",
     R"((component (import "[get]a" (func (result u8)))))",
     "0705014000007d0a0b0100065b6765745d610100",
     "gated feature"},
    {"Visibility", "ARecordNeedsAName",
     R"((component (type $r (record (field "x" u8))) (import "f" (func (param "r" $r)))))",
     "070d02720101787d400101720001000a06010001660101",
     "func not valid to be used as import"},
    {"Visibility", "AnImportedRecordHasAName",
     R"((component (type $r (record (field "x" u8))) (import "r" (type $n (eq $r))) (import )"
     R"("f" (func (param "r" $n)))))",
     "070601720101787d0a0701000172030000070801400101720101000a06010001660102",
     nullptr},
    {"Visibility", "TheNameIsThatOfTheNewIndex",
     R"((component (type $r (record (field "x" u8))) (import "r" (type (eq $r))) (import "f" )"
     R"((func (param "r" $r)))))",
     "070601720101787d0a0701000172030000070801400101720001000a06010001660102",
     "func not valid to be used as import"},
    {"Visibility", "ATupleNeedsNone",
     R"((component (import "f" (func (param "r" (tuple u8 (option string)))))))",
     "070e036b736f027d00400101720101000a06010001660102",
     nullptr},
    {"Visibility", "WhatIsInsideATupleDoes",
     R"((component (type $r (enum "x")) (import "f" (func (param "r" (tuple u8 (option )"
     R"($r)))))))",
     "0712046d0101786b006f027d01400101720201000a06010001660103",
     "func not valid to be used as import"},
    {"Visibility", "AnImportDoesNotDependOnAnExport",
     R"((component (type $r (record (field "x" u8))) (export $e "r" (type $r)) (import "f" )"
     R"((func (param "r" $e)))))",
     "070601720101787d0b0701000172030000070801400101720101000a06010001660102",
     "func not valid to be used as import"},
    {"Visibility", "AnExportedInstanceGivesNames",
     R"((component (import "i" (instance $i (type $t (enum "x")) (export "t" (type (eq )"
     R"($t))))) (alias export $i "t" (type $t)) (import "f" (func (param "t" $t)))))",
     "070f014202016d010178040001740300000a060100016905000606010300000174070801400101740101000a"
     "06010001660102",
     nullptr},
    {"Visibility", "AnInstantiatedOneDoesNot",
     R"((component (component $c (type $t (enum "x")) (export "t" (type $t))) (instance $i )"
     R"((instantiate $c)) (alias export $i "t" (type $t)) (import "f" (func (param "t" $t)))))",
     "04180061736d0d0001000705016d0101780b0701000174030000050401000000060601030000017407080140"
     "0101740001000a06010001660101",
     "func not valid to be used as import"},
    {"Visibility", "AResourceMustBeExported",
     R"((component (type $r (resource (rep i32))) (type $f (func (result (own $r)))) (export )"
     R"("f" (type $f))))",
     "070a033f7f006900400000010b0701000166030200",
     "type not valid to be used as export"},
    {"Instantiation", "EveryImportNeedsAnArgument",
     R"((component (component $c (import "x" (func))) (instance (instantiate $c))))",
     "04170061736d0d000100070501400001000a06010001780100050401000000",
     "missing import named `x`"},
    {"Instantiation", "AnArgumentIsOfTheSort",
     R"((component (component $c (import "x" (func))) (component $d) (instance (instantiate )"
     R"($c (with "x" (component $d))))))",
     "04170061736d0d000100070501400001000a0601000178010004080061736d0d000100050801000001017804"
     "01",
     "expected func, found component"},
    {"Instantiation", "ArgumentsAreGivenOnce",
     R"((component (component $c) (instance $i) (instance (instantiate $c (with "a" (instance )"
     R"($i)) (with "a" (instance $i))))))",
     "04080061736d0d000100050e0201000000020161050001610500",
     "instantiation argument `a` conflicts with previous argument `a`"},
    {"Instantiation", "MoreArgumentsThanImportsAreFine",
     R"((component (component $c) (instance $i) (instance (instantiate $c (with "Anything" )"
     R"((instance $i))))))",
     "04080061736d0d000100051102010000000108416e797468696e670500",
     nullptr},
    {"Instantiation", "ABagsNamesAreUnique",
     R"((component (component $c) (instance (export "a" (component $c)) (export "A" )"
     R"((component $c)))))",
     "04080061736d0d000100050d01010200016104000001410400",
     "export name `A` conflicts with previous name `a`"},
};
// clang-format on

}  // namespace tenon::component

#pragma once

// Small components for the tests of the validator: the text for the reader, the same in bytes
// (without the preamble and custom sections) for the test, as `wasm-tools parse` made them.

namespace tenon::component {

struct ValidatorCase {
  const char* group;
  const char* name;
  const char* text;
  const char* hex;
  const char* error;  // part of the message; null: the component is valid
};

// clang-format off
inline constexpr ValidatorCase VALIDATOR_CASES[] = {
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
    {"Core", "AModuleTypesIndexMustExist",
     R"((component (core type (module (export "a" (func (type 0)))))))",
     "03080150010301610000",
     "unknown type 0: type index out of bounds"},
    {"Core", "ExportsOfAModuleTypeAreUnique",
     R"((component (core type (module (export "a" (func)) (export "a" (func))))))",
     "0315015004016000000301610000016000000301610001",
     "duplicate export name `a` already defined"},
    {"Core", "ImportsOfAModuleAreUnique",
     R"((component (core module (import "a" "b" (func)) (import "a" "b" (func)))))",
     "011d0061736d01000000010401600000020d02016101620000016101620000",
     "duplicate import name `a:b`"},
    {"Core", "AMemorysSizeIsLimited",
     R"((component (core type (module (import "" "" (memory 70000))))))",
     "030b0150010000000200f0a204",
     "memory size must be at most 65536 pages"},
    {"Core", "AnImportNeedsAnArgument",
     R"((component (core module $m (import "a" "b" (func))) (core instance (instantiate $m))))",
     "01170061736d01000000010401600000020701016101620000020401000000",
     "missing module instantiation argument named `a`"},
    {"Core", "FunctionsMatchBySignature",
     R"((component (core module $a (func (export "f") (param i32))) (core module $b (import )"
     R"("a" "f" (func))) (core instance $i (instantiate $a)) (core instance (instantiate $b )"
     R"((with "a" (instance $i))))))",
     "01200061736d0100000001050160017f0003020100070501016600000a040102000b01170061736d01000000"
     "010401600000020701016101660000020b0200000000010101611200",
     "expected: (func), found: (func (param i32))"},
    {"Core", "AMemoryMayBeLarger",
     R"((component (core module $a (memory (export "m") 2)) (core module $b (import "a" "m" )"
     R"((memory 1))) (core instance $i (instantiate $a)) (core instance (instantiate $b (with )"
     R"("a" (instance $i))))))",
     "01140061736d010000000503010002070501016d020001120061736d010000000208010161016d020001020b"
     "0200000000010101611200",
     nullptr},
    {"Core", "AMemoryMayNotBeSmaller",
     R"((component (core module $a (memory (export "m") 0)) (core module $b (import "a" "m" )"
     R"((memory 1))) (core instance $i (instantiate $a)) (core instance (instantiate $b (with )"
     R"("a" (instance $i))))))",
     "01140061736d010000000503010000070501016d020001120061736d010000000208010161016d020001020b"
     "0200000000010101611200",
     "mismatch in memory limits"},
    {"Core", "MutableGlobalsMatchExactly",
     R"((component (core module $a (global (export "g") i32 i32.const 0)) (core module $b )"
     R"((import "a" "g" (global (mut i32)))) (core instance $i (instantiate $a)) (core )"
     R"(instance (instantiate $b (with "a" (instance $i))))))",
     "01170061736d010000000606017f0041000b0705010167030001120061736d0100000002080101610167037f"
     "01020b0200000000010101611200",
     "global types differ in mutability"},
    {"Core", "RecursiveGroupsOfOneStructureAreEqual",
     R"((component (core module $a (rec (type $x (func (param (ref $y)))) (type $y (struct))) )"
     R"((func (export "f") (type $x))) (core module $b (type (func)) (rec (type $x (func )"
     R"((param (ref $y)))) (type $y (struct))) (import "a" "f" (func (type $x)))) (core )"
     R"(instance $i (instantiate $a)) (core instance (instantiate $b (with "a" (instance )"
     R"($i))))))",
     "01250061736d01000000010a014e0260016401005f0003020100070501016600000a040102000b0120006173"
     "6d01000000010d026000004e0260016402005f00020701016101660001020b0200000000010101611200",
     nullptr},
    {"Core", "ADeclaredSubtypeMatches",
     R"((component (core module $a (type $x (sub (func))) (type $y (sub $x (func))) (func )"
     R"((export "f") (type $y))) (core module $b (type $x (sub (func))) (import "a" "f" (func )"
     R"((type $x)))) (core instance $i (instantiate $a)) (core instance (instantiate $b (with )"
     R"("a" (instance $i))))))",
     "01270061736d01000000010c02500060000050010060000003020101070501016600000a040102000b011900"
     "61736d010000000106015000600000020701016101660000020b0200000000010101611200",
     nullptr},
    {"Core", "ASupertypeDoesNotMatch",
     R"((component (core module $a (type $x (sub (func))) (func (export "f") (type $x))) )"
     R"((core module $b (type $x (sub (func))) (type $y (sub $x (func))) (import "a" "f" )"
     R"((func (type $y)))) (core instance $i (instantiate $a)) (core instance (instantiate $b )"
     R"((with "a" (instance $i))))))",
     "01210061736d01000000010601500060000003020100070501016600000a040102000b011f0061736d010000"
     "00010c025000600000500100600000020701016101660001020b0200000000010101611200",
     "expected: (func), found: (func)"},
    {"Core", "AFinalTypeHasNoSubtypes",
     R"((component $C (core type $t1 (struct)) (core type (sub $t1 (struct)))))",
     "0309025f00005001005f00",
     "sub type cannot have a final super type"},
    {"Canon", "LiftChecksTheSignature",
     R"((component (core module $m (func (export "f") (param i32))) (core instance $i )"
     R"((instantiate $m)) (func (canon lift (core func $i "f")))))",
     "01200061736d0100000001050160017f0003020100070501016600000a040102000b02040100000007050140"
     "0001000607010000010001660806010000000000",
     "lowered parameter types `[]` do not match parameter types `[i32]`"},
    {"Canon", "LiftingAStringNeedsMemory",
     R"((component (core module $m (func (export "f") (param i32 i32))) (core instance $i )"
     R"((instantiate $m)) (func (param "s" string) (canon lift (core func $i "f")))))",
     "01210061736d0100000001060160027f7f0003020100070501016600000a040102000b020401000000070801"
     "400101737301000607010000010001660806010000000000",
     "canonical option `memory` is required"},
    {"Canon", "LiftingAStringNeedsRealloc",
     R"((component (core module $m (memory (export "m") 1) (func (export "f") (param i32 )"
     R"(i32))) (core instance $i (instantiate $m)) (func (param "s" string) (canon lift (core )"
     R"(func $i "f") (memory (core memory $i "m"))))))",
     "012a0061736d0100000001060160027f7f00030201000503010001070902016d0200016600000a040102000b"
     "02040100000007080140010173730100060d0200000100016600020100016d08080100000001030000",
     "canonical option `realloc` is required"},
    {"Canon", "ReallocHasFourParameters",
     R"((component (import "f" (func $f)) (core module $m (memory (export "m") 1) (func )"
     R"((export "r"))) (core instance $i (instantiate $m)) (core func (canon lower (func $f) )"
     R"((memory (core memory $i "m")) (realloc (core func $i "r"))))))",
     "070501400001000a0601000166010001280061736d0100000001040160000003020100050301000107090201"
     "6d0200017200000a040102000b020401000000060d0200020100016d00000100017208090101000002030004"
     "00",
     "canonical option `realloc` uses a core function with an incorrect signature"},
    {"Canon", "ReallocNeedsMemory",
     R"((component (import "f" (func $f)) (core module $m (func (export "r") (param i32 i32 )"
     R"(i32 i32) (result i32) unreachable)) (core instance $i (instantiate $m)) (core func )"
     R"((canon lower (func $f) (realloc (core func $i "r"))))))",
     "070501400001000a0601000166010001250061736d0100000001090160047f7f7f7f017f0302010007050101"
     "7200000a05010300000b020401000000060701000001000172080701010000010400",
     "`realloc` requires `memory`"},
    {"Canon", "PostReturnTakesTheResults",
     R"((component (core module $m (func (export "f") (result i32) unreachable) (func (export )"
     R"("p"))) (core instance $i (instantiate $m)) (func (result u8) (canon lift (core func )"
     R"($i "f") (post-return (core func $i "p"))))))",
     "012c0061736d010000000108026000017f600000030302000107090201660000017000010a08020300000b02"
     "000b0204010000000705014000007d060d0200000100016600000100017008080100000001050100",
     "`post-return` uses a core function with an incorrect signature"},
    {"Canon", "PostReturnIsForLifts",
     R"((component (import "f" (func $f)) (core module $m (func (export "p"))) (core instance )"
     R"($i (instantiate $m)) (core func (canon lower (func $f) (post-return (core func $i )"
     R"("p"))))))",
     "070501400001000a06010001660100011f0061736d0100000001040160000003020100070501017000000a04"
     "0102000b020401000000060701000001000170080701010000010500",
     "`post-return` cannot be specified for lowerings"},
    {"Canon", "EncodingsConflict",
     R"((component (import "f" (func $f)) (core func (canon lower (func $f) )"
     R"(string-encoding=utf8 string-encoding=utf16))))",
     "070501400001000a06010001660100080701010000020001",
     "canonical encoding option `utf8` conflicts with option `utf16`"},
    {"Canon", "AsyncNeedsAnAsyncFunction",
     R"((component (import "f" (func $f)) (core func (canon lower (func $f) async))))",
     "070501400001000a060100016601000806010100000106",
     "requires an async function type"},
    {"Canon", "CallbackNeedsAsync",
     R"((component (core module $m (func (export "f"))) (core instance $i (instantiate $m)) )"
     R"((func (canon lift (core func $i "f") (callback (core func $i "f"))))))",
     "011f0061736d0100000001040160000003020100070501016600000a040102000b0204010000000705014000"
     "0100060d0200000100016600000100016608080100000001070100",
     "cannot specify callback without async"},
    {"Canon", "AnAsyncLiftReturnsACode",
     R"((component (core module $m (func (export "f") (result i32) unreachable) (func (export )"
     R"("c") (param i32 i32 i32) (result i32) unreachable)) (core instance $i (instantiate )"
     R"($m)) (func async (canon lift (core func $i "f") async (callback (core func $i "c"))))))",
     "01310061736d01000000010c026000017f60037f7f7f017f030302000107090201660000016300010a090203"
     "00000b0300000b02040100000007050143000100060d02000001000166000001000163080901000000020607"
     "0100",
     nullptr},
    {"Canon", "ManyParametersGoThroughMemory",
     R"((component (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 )"
     R"(i32 i32) (result i32) unreachable) (func (export "f") (param i32))) (core instance $i )"
     R"((instantiate $m)) (func (param "t" (tuple u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 u8 )"
     R"(u8 u8 u8)) (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc )"
     R"((core func $i "r"))))))",
     "013a0061736d01000000010d0260047f7f7f7f017f60017f0003030200010503010001070d03016d02000172"
     "0000016600010a08020300000b02000b020401000000071b026f117d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d"
     "4001017400010006130300000100016600020100016d000001000172080a01000000020300040101",
     nullptr},
    {"Canon", "ALoweredFunctionHasItsSignature",
     R"((component (import "f" (func $f (result (tuple u8 u8)))) (core module $l (memory )"
     R"((export "m") 1)) (core instance $l (instantiate $l)) (core func $g (canon lower (func )"
     R"($f) (memory (core memory $l "m")))) (core module $m (import "" "f" (func (param )"
     R"(i32)))) (core instance (instantiate $m (with "" (instance (export "f" (func $g))))))))",
     "0709026f027d7d400000000a0601000166010101140061736d010000000503010001070501016d0200020401"
     "00000006070100020100016d08070101000001030001170061736d0100000001050160017f00020601000166"
     "0000020d02010101660000000101001201",
     nullptr},
    {"Canon", "TaskReturnTakesNoRealloc",
     R"((component (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 )"
     R"(i32 i32) (result i32) unreachable)) (core instance $i (instantiate $m)) (core func )"
     R"((canon task.return (memory (core memory $i "m")) (realloc (core func $i "r"))))))",
     "012e0061736d0100000001090160047f7f7f7f017f030201000503010001070902016d0200017200000a0501"
     "0300000b020401000000060d0200020100016d0000010001720809010901000203000400",
     "cannot specify `realloc` option on `task.return`"},
    {"Canon", "AStreamBuiltInNeedsAStream",
     R"((component (type $f (future)) (core func (canon stream.new $f))))",
     "07030165000803010e00",
     "`stream.new` requires a stream type"},
    {"Canon", "ReadingStringsNeedsRealloc",
     R"((component (type $s (stream string)) (core module $m (memory (export "m") 1)) (core )"
     R"(instance $i (instantiate $m)) (core func (canon stream.read $s async (memory (core )"
     R"(memory $i "m"))))))",
     "07040166017301140061736d010000000503010001070501016d020002040100000006070100020100016d08"
     "07010f0002060300",
     "canonical option `realloc` is required"},
    {"Canon", "ContextSlotsAreOfOneType",
     R"((component (core func (canon context.get i32 0)) (core func (canon context.set i32 )"
     R"(0))))",
     "0807020a7f000b7f00",
     nullptr},
    {"Canon", "A64BitMemoryIsGated",
     R"((component (import "f" (func $f)) (core module $m (memory (export "m") i64 1)) (core )"
     R"(instance $i (instantiate $m)) (core func (canon lower (func $f) (memory (core memory )"
     R"($i "m"))))))",
     "070501400001000a0601000166010001140061736d010000000503010401070501016d020002040100000006"
     "070100020100016d080701010000010300",
     "64-bit memories are a gated feature"},
    {"Canon", "AStackfulLiftIsGated",
     R"((component (core module $m (func (export "f"))) (core instance $i (instantiate $m)) )"
     R"((func async (canon lift (core func $i "f") async))))",
     "011f0061736d0100000001040160000003020100070501016600000a040102000b0204010000000705014300"
     "0100060701000001000166080701000000010600",
     "asynchronous lifts without a callback are a gated feature"},
};
// clang-format on

}  // namespace tenon::component

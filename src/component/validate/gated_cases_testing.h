#pragma once

// Further cases that need gated features: values, threads.

#include "component/validate/validator_case_testing.h"

namespace tenon::component {

// clang-format off
inline constexpr ValidatorCase GATED_CASES[] = {
    {"Values", "AnImportMayEqualAValue",
     R"((component (import "a" (value $a string)) (import "b" (value (eq $a))) (export "c"
         (value $a)) (export "d" (value 1))))",
     "0a0d020001610201730001620200000b0d02000163020000000164020100",
     nullptr},
    {"Memory64", "PointersOfALiftedFunctionAre64BitsWide",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i64 i64 i32 i32 i64 i64 i32 i64 i64 i32 i64 i64 i64 i64)) (func (export "realloc")
         (param i64 i64 i64 i64) (result i64) unreachable)) (core instance $i (instantiate
         $m)) (type $r' (record (field "s" string) (field "n" u8))) (export $r "r" (type
         $r')) (type $v' (variant (case "a" string) (case "b" f32) (case "c"))) (export $v
         "v" (type $v')) (func (export "f") (param "a" $r) (param "b" $v) (param "c" (option
         string)) (param "d" (result string (error f32))) (param "e" (list u8)) (canon lift
         (core func $i "f") (memory $i "mem") (realloc (func $i "realloc"))))))",
     "014f0061736d01000000011a02600e7e7e7f7f7e7e7f7e7e7f7e7e7e7e0060047e7e7e7e017e030302000105"
     "03010401071503036d656d020001660000077265616c6c6f6300010a080202000b0300000b02040100000007"
     "09017202017373016e7d0b0701000172030000071101710301610173000162017600016300000b0701000176"
     "030200071d046b736a01730176707d40050161010162030163040164050165060100061b0300000100016600"
     "020100036d656d00000100077265616c6c6f63080a010000000203000401070b0701000166010000",
     nullptr},
    {"Memory64", "PayloadsThatDifferAreJoined",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i32 i64 i64)) (func (export "realloc") (param i64 i64 i64 i64) (result i64)
         unreachable)) (core instance $i (instantiate $m)) (type $v' (variant (case "a" f32)
         (case "b" u32) (case "c" string))) (export $v "v" (type $v')) (func (export "f")
         (param "a" $v) (canon lift (core func $i "f") (memory $i "mem") (realloc (func $i
         "realloc"))))))",
     "01440061736d01000000010f0260037f7e7e0060047e7e7e7e017e03030200010503010401071503036d656d"
     "020001660000077265616c6c6f6300010a080202000b0300000b020401000000071201710301610176000162"
     "01790001630173000b070100017603000007080140010161010100061b0300000100016600020100036d656d"
     "00000100077265616c6c6f63080a010000000203000401020b0701000166010000",
     nullptr},
    {"Memory64", "AListOfSoManyStringsLiesInline",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i64 i64 i64 i64)) (func (export "realloc") (param i64 i64 i64 i64) (result i64)
         unreachable)) (core instance $i (instantiate $m)) (func (export "f") (param "a"
         (list string 2)) (canon lift (core func $i "f") (memory $i "mem") (realloc (func $i
         "realloc"))))))",
     "01450061736d0100000001100260047e7e7e7e0060047e7e7e7e017e03030200010503010401071503036d65"
     "6d020001660000077265616c6c6f6300010a080202000b0300000b020401000000070b026773024001016100"
     "0100061b0300000100016600020100036d656d00000100077265616c6c6f63080a010000000203000401010b"
     "0701000166010000",
     nullptr},
    {"Memory64", "ManyParametersAreOnePointer",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i64)) (func (export "realloc") (param i64 i64 i64 i64) (result i64) unreachable))
         (core instance $i (instantiate $m)) (type $v' (variant (case "a" string) (case "b"
         (tuple string string string string string string string string)))) (export $v "v"
         (type $v')) (func (export "f") (param "a" $v) (canon lift (core func $i "f") (memory
         $i "mem") (realloc (func $i "realloc"))))))",
     "01420061736d01000000010d0260017e0060047e7e7e7e017e03030200010503010401071503036d656d0200"
     "01660000077265616c6c6f6300010a080202000b0300000b0204010000000717026f08737373737373737371"
     "02016101730001620100000b070100017603010007080140010161020100061b030000010001660002010003"
     "6d656d00000100077265616c6c6f63080a010000000203000401030b0701000166010000",
     nullptr},
    {"Memory64", "ManyInlineElementsAreOnePointer",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i64)) (func (export "realloc") (param i64 i64 i64 i64) (result i64) unreachable))
         (core instance $i (instantiate $m)) (func (export "f") (param "a" (list string 20))
         (canon lift (core func $i "f") (memory $i "mem") (realloc (func $i "realloc"))))))",
     "01420061736d01000000010d0260017e0060047e7e7e7e017e03030200010503010401071503036d656d0200"
     "01660000077265616c6c6f6300010a080202000b0300000b020401000000070b026773144001016100010006"
     "1b0300000100016600020100036d656d00000100077265616c6c6f63080a010000000203000401010b070100"
     "0166010000",
     nullptr},
    {"Memory64", "A32BitSignatureIsRefused",
     R"((component (core module $m (memory (export "mem") i64 1) (func (export "f") (param
         i32 i32)) (func (export "realloc") (param i64 i64 i64 i64) (result i64)
         unreachable)) (core instance $i (instantiate $m)) (func (export "f") (param "a"
         string) (canon lift (core func $i "f") (memory $i "mem") (realloc (func $i
         "realloc"))))))",
     "01430061736d01000000010e0260027f7f0060047e7e7e7e017e03030200010503010401071503036d656d02"
     "0001660000077265616c6c6f6300010a080202000b0300000b02040100000007080140010161730100061b03"
     "00000100016600020100036d656d00000100077265616c6c6f63080a010000000203000401000b0701000166"
     "010000",
     "lowered parameter types"},
    {"Canon", "ALoweringHasNoCallback",
     R"((component (core module $m (memory (export "mem") 1) (func (export "cb") (param i32
         i32 i32) (result i32) unreachable)) (core instance $i (instantiate $m)) (import "f"
         (func $f async (param "a" string))) (core func (canon lower (func $f) async (memory
         $i "mem") (callback (func $i "cb"))))))",
     "01300061736d0100000001080160037f7f7f017f030201000503010001070c02036d656d020002636200000a"
     "05010300000b020401000000070801430101617301000a0601000166010006100200020100036d656d000001"
     "00026362080a01010000030603000700",
     "callback"},
    {"Canon", "ErrorContextDebugMessageNeedsRealloc",
     R"((component (core module $m (memory (export "mem") 1)) (core instance $i (instantiate
         $m)) (core func (canon error-context.debug-message (memory $i "mem")))))",
     "01160061736d010000000503010001070701036d656d020002040100000006090100020100036d656d080501"
     "1d010300",
     "`realloc` is required"},
    {"Canon", "ErrorContextNewIsNotAsync",
     R"((component (core module $m (memory (export "mem") 1)) (core instance $i (instantiate
         $m)) (core func (canon error-context.new (memory $i "mem") async))))",
     "01160061736d010000000503010001070701036d656d020002040100000006090100020100036d656d080601"
     "1c02030006",
     "async"},
    {"Canon", "AThreadStartsWithAFunction",
     R"((component (core type $t (struct)) (core module $m (table (export "t") 1 funcref))
         (core instance $i (instantiate $m)) (alias core export $i "t" (core table $table))
         (core func (canon thread.new-indirect $t (table $table)))))",
     "0303015f0001150061736d010000000404017000010705010174010002040100000006070100010100017408"
     "0401270000",
     "start type must be a function"},
    {"Canon", "AThreadsTableIsOfFunctions",
     R"((component (core type $t (func (param i32))) (core module $m (table (export "t") 1
         externref)) (core instance $i (instantiate $m)) (alias core export $i "t" (core
         table $table)) (core func (canon thread.new-indirect $t (table $table)))))",
     "03050160017f0001150061736d010000000404016f0001070501017401000204010000000607010001010001"
     "74080401270000",
     "table is not a table of (ref null (func))"},
    {"Values", "AnImportedValueMustBeUsed",
     R"((component (import "a" (value string))))",
     "0a0701000161020173",
     "value index 0 was not used"},
    {"Values", "AValueIsUsedOnce",
     R"((component (import "a" (value $a string)) (export "b" (value $a)) (export "c" (value
         $a))))",
     "0a07010001610201730b0d02000162020000000163020000",
     "cannot be used more than once"},
    {"Values", "AnAliasOfAnInstancesValue",
     R"((component (import "i" (instance $i (export "v" (value string)))) (alias export $i
         "v" (value $v)) (export "w" (value $v))))",
     "070a014201040001760201730a0601000169050006060102000001760b0701000177020000",
     nullptr},
    {"Values", "AnAliasOfAValueIsNoFunction",
     R"((component (import "i" (instance $i (export "v" (value string)))) (alias export $i
         "v" (func $v))))",
     "070a014201040001760201730a060100016905000606010100000176",
     "is not a func"},
    {"Values", "AnArgumentThatIsAValueHasTheType",
     R"((component (import "v" (value $v u8)) (component $c (import "w" (value $w u16))
         (export "x" (value $w))) (instance (instantiate $c (with "w" (value $v))))))",
     "0a070100017602017d041a0061736d0d0001000a070100017702017b0b070100017802000005080100000101"
     "770200",
     "type mismatch for import `w`"},
    {"Values", "AStartFunctionsArgumentHasTheType",
     R"((component (import "f" (func $f (param "a" u8))) (import "v" (value $v u16)) (start
         $f (value $v))))",
     "070801400101617d01000a0c02000166010000017602017b090400010000",
     "value type mismatch for component start function argument 0"},
    {"Values", "AStartFunctionUsesItsArgumentsAndGivesAValue",
     R"((component (import "f" (func $f (param "a" u8) (result string))) (import "v" (value
         $v u8)) (start $f (value $v) (result (value $r))) (export "r" (value $r))))",
     "070801400101617d00730a0c02000166010000017602017d0904000100010b0701000172020100",
     nullptr},
    {"CoreInstances", "ACoreModuleTypeHasNoModuleTypeInside",
     R"((component (core type (module (type (func)) )) ))",
     "030701500101600000",
     nullptr},
};
// clang-format on

}  // namespace tenon::component

#pragma once

// Cases about canonical functions and what is core.

#include "component/validate/validator_case_testing.h"

namespace tenon::component {

// clang-format off
inline constexpr ValidatorCase CANON_CASES[] = {
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

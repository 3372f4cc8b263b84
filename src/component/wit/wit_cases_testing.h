#pragma once

// Small valid components for the tests of the WIT printer: the text for the reader, the same in
// bytes (without the preamble and custom sections), and what is printed, as `wasm-tools component
// wit` does, or part of the refusal.

namespace tenon::component {

struct WitCase {
  const char* name;
  const char* text;
  const char* hex;
  const char* wit;    // null: refused
  const char* error;  // null: printed
};

// clang-format off
inline constexpr WitCase WIT_CASES[] = {
    {"AnOlderPackageIsOneComponentType",
     R"((component (type (component (import "dep:pkg/base@1.0.0" (instance $b (export "t"
         (type (sub resource))))) (alias export $b "t" (type $t')) (type $types (instance
         (alias outer 1 $t' (type $t)) (export "t" (type (eq $t))) (type (list u8)) (export
         "bytes" (type (eq 2))) (type (func (param "b" 3))) (export "f" (func (type 4)))))
         (export "a:b/types@1.0.0" (instance (type $types))) (type $w (component (type
         (func)) (export "run" (func (type 0))))) (export "a:b/w@1.0.0" (component (type
         $w))))) (export "a:b/wit@1.0.0" (type 0))))",
     "0788010141070142010400017403010300126465703a706b672f6261736540312e302e300500020300000174"
     "01420602030201010400017403000001707d0400056279746573030002014001016203010004000166010404"
     "000f613a622f747970657340312e302e300502014102014000010004000372756e010004000b613a622f7740"
     "312e302e3004030b1301000d613a622f77697440312e302e30030000",
     R"(package a:b@1.0.0;

interface types {
  use dep:pkg/base@1.0.0.{t};

  type bytes = list<u8>;

  f: func(b: bytes);
}

world w {
  export run: func();
}
package dep:pkg@1.0.0 {
  interface base {
    resource t;
  }
}
)", nullptr},
    {"AnOlderPackageIsAlone",
     R"((component (type (component (type (instance)) (export "a:b/x" (instance (type 0)))))
         (export "a:b/wit" (type 0)) (export "c:d/wit" (type 0))))",
     "0710014102014200040005613a622f7805000b19020007613a622f7769740300000007633a642f7769740300"
     "00",
     nullptr, R"(more than one component type is exported)"},
    {"AnOlderPackageHasInstancesAndComponents",
     R"((component (type (component (type (func)) (export "a:b/f" (func (type 0))))) (export
         "a:b/wit" (type 0))))",
     "07120141020140000100040005613a622f6601000b0d010007613a622f776974030000",
     nullptr, R"(is no instance or component)"},
    {"ATypeOfAPackageExportsOneThing",
     R"((component (type (component)) (export "x" (type 0))))",
     "07030141000b0701000178030000",
     nullptr, R"(a component type with 0 exports instead of one)"},
    {"ATypeOfAPackageExportsAnInstanceOrComponent",
     R"((component (type (component (type (func)) (export "a:b/f" (func (type 0))))) (export
         "x" (type 0))))",
     "07120141020140000100040005613a622f6601000b0701000178030000",
     nullptr, R"(export "a:b/f" is no instance or component)"},
    {"ATypeOfAPackageNamesThePackage",
     R"((component (type (component (type (instance)) (export "f" (instance (type 0)))))
         (export "x" (type 0))))",
     "070c0141020142000400016605000b0701000178030000",
     nullptr, R"("f" names no package)"},
    {"APackageHasOneName",
     R"((component (type (component (type (instance)) (export "a:b/x" (instance (type 0)))))
         (export "x" (type 0)) (type (component (type (instance)) (export "c:d/y" (instance
         (type 0))))) (export "y" (type 2))))",
     "0710014102014200040005613a622f7805000b07010001780300000710014102014200040005633a642f7905"
     "000b0701000179030200",
     nullptr, R"(two packages, a:b and c:d, in one)"},
    {"AWorldIsDefinedOnce",
     R"((component (type (component (type (component)) (export "a:b/w" (component (type
         0))))) (export "x" (type 0)) (export "y" (type 0))))",
     "0710014102014100040005613a622f7704000b0d02000178030000000179030000",
     nullptr, R"(two worlds are named w)"},
    {"AnInstanceInAnInstanceHasNoName",
     R"((component (type (instance (type (instance)) (export "i" (instance (type 0)))))
         (import "a:b/c" (instance (type 0)))))",
     "070c0142020142000400016905000a0a010005613a622f630500",
     nullptr, R"(is no type or function)"},
    {"AnInstanceInAnExportedInstanceHasNoName",
     R"((component (type (instance (type (instance)) (export "i" (instance (type 0)))))
         (import "c" (instance (type 0)))))",
     "070c0142020142000400016905000a06010001630500",
     nullptr, R"(is no type or function)"},
    {"APackageCannotDependOnItself",
     R"((component (import "a:b/z" (instance $z (type $r' (record (field "f" u8))) (export
         "r" (type $r (eq $r'))))) (alias export $z "r" (type $r)) (import "c:d/y" (instance
         $y (alias outer 1 $r (type $r')) (export "r" (type $r2 (eq $r'))) (type $v (record
         (field "r" $r2))) (export "s" (type (eq $v))))) (alias export $y "s" (type $s))
         (import "a:b/x" (instance $x (alias outer 1 $s (type $s')) (export "s" (type $r2 (eq
         $s')))))))",
     "071001420201720101667d040001720300000a0a010005613a622f7a05000606010300000172071c01420402"
     "0302010104000172030000017201017201040001730300020a0a010005633a642f7905020606010300010173"
     "070f0142020203020103040001730300000a0a010005613a622f780504",
     nullptr, R"(depends on itself)"},
    {"CoreTypesAndModulesAreNoPartOfTheWorld",
     R"((component (core type $f (func)) (core type $m (module (type (func)) (import "a" "b"
         (func (type 0))))) (import "m" (core module (type $m))) (component $c (core module
         (export "x"))) (instance $i (instantiate $c)) (alias export $i "x" (core module $x))
         (component $d (import "y" (core module)) ) (instance (instantiate $d (with "y" (core
         module $x)))) (import "run" (func))))",
     "031102600000500201600000000161016200000a070100016d001101041c0061736d0d00010001080061736d"
     "010000000b08010001780011000005040100000006070100110000017804160061736d0d0001000303015000"
     "0a07010001790011000509010001010179001101070501400001000a0801000372756e0100",
     R"(package root:component;

world root {
  import run: func();
}
)", nullptr},
    {"AComponentGoesThroughOthers",
     R"((component (import "f" (func $f (param "a" string))) (component $in (import "g"
         (func $g (param "a" string))) (export "h" (func $g))) (component $pass (import "c"
         (component $c (import "g" (func (param "a" string))) (export "h" (func (param "a"
         string))))) (export "d" (component $c))) (instance $p (instantiate $pass (with "c"
         (component $in)))) (alias export $p "d" (component $d)) (instance $i (instantiate $d
         (with "g" (func $f)))) (export "k" (func $i "h"))))",
     "070801400101617301000a0601000166010004230061736d0d000100070801400101617301000a0601000167"
     "01000b0701000168010000043a0061736d0d000100071f014104014001016173010003000167010001400101"
     "617301000400016801010a060100016304000b07010001640400000508010001010163040006060104000001"
     "640508010002010167010006060101000101680b070100016b010100",
     R"(package root:component;

world root {
  import f: func(a: string);

  export k: func(a: string);
}
)", nullptr},
    {"ResourcesGoThroughInstancesInInstances",
     R"((component (import "a:b/deep" (instance $deep (export "r" (type (sub resource)))))
         (alias export $deep "r" (type $r)) (component $c (import "outer" (instance $o
         (export "inner" (instance (export "r" (type (sub resource))))))) (alias export $o
         "inner" (instance $in)) (alias export $in "r" (type $r)) (import "f" (func $f (param
         "x" (own $r)))) (export $r2 "r" (type $r)) (export "f" (func $f) (func (param "x"
         (own $r2))))) (import "f" (func $f (param "x" (own $r)))) (instance $inner (export
         "r" (type $r))) (instance $outer (export "inner" (instance $inner))) (instance $i
         (instantiate $c (with "outer" (instance $outer)) (with "f" (func $f)))) (export
         "a:b/out" (instance $i))))",
     "07090142010400017203010a0d010008613a622f646565700500060601030000017204710061736d0d000100"
     "0716014202014201040001720301040005696e6e657205000a0a0100056f757465720500060f020500000569"
     "6e6e65720300010172070a026901400101780201000a060100016601030b0701000172030100070a02690440"
     "0101780501000b09010001660100010106070a026901400101780201000a0601000166010305220301010001"
     "72030101010005696e6e65720501000002056f757465720502016601000b0d010007613a622f6f7574050300",
     R"(package root:component;

world root {
  import a:b/deep;
  import f: func(x: r);

  export a:b/out;
}
package a:b {
  interface deep {
    resource r;
  }
  interface out {
    use deep.{r};

    f: func(x: r);
  }
}
)", nullptr},
    {"AnExternalIdIsPrinted",
     R"((component (import "f" (external-id "plain/id_1.x: y") (func))))",
     "070501400001000a180102016601020f706c61696e2f69645f312e783a20790100",
     R"(package root:component;

world root {
  @external-id("plain/id_1.x: y")
  import f: func();
}
)", nullptr},
    {"AResourceInARecordOfAnInstanceIsReplaced",
     R"((component (component $make (import "t" (type $t (sub resource))) (type $v' (record
         (field "one" (own $t)) (field "all" (list (own $t))))) (export $v "v" (type $v'))
         (type $w' (variant (case "a" $v) (case "b" (tuple (own $t) (option (own $t)) (result
         (own $t)))))) (export $w "w" (type $w')) (import "f" (func $f (param "t" (borrow
         $t)) (result (own $t)))) (export "f" (func $f))) (import "a:b/res" (instance $res
         (export "thing" (type $th (sub resource))) (export "f" (func (param "t" (borrow
         $th)) (result (own $th)))))) (alias export $res "thing" (type $thing)) (alias export
         $res "f" (func $f)) (instance $made (instantiate $make (with "t" (type $thing))
         (with "f" (func $f)))) (export "a:b/made" (instance $made))))",
     "04760061736d0d0001000a060100017403010713046900690070027202036f6e650103616c6c030b07010001"
     "76030400071e07690069006b0769006a0109006f0306080a710201610105000162010b000b0701000177030c"
     "00070c0368006900400101740e000f0a060100016601100b070100016601000007210142050400057468696e"
     "67030101680001690001400101740100020400016601030a0c010007613a622f7265730500060f0203000005"
     "7468696e670100000166050c0100000201740301016601000b0e010008613a622f6d616465050100",
     R"(package root:component;

world root {
  import a:b/res;

  export a:b/made;
}
package a:b {
  interface res {
    resource thing;

    f: func(t: borrow<thing>) -> thing;
  }
  interface made {
    record v {
      one: thing,
      all: list<thing>,
    }

    variant w {
      a(v),
      b(tuple<thing, option<thing>, result<thing>>),
    }

    f: func(t: borrow<thing>) -> thing;
  }
}
)", nullptr},
};
// clang-format on

}  // namespace tenon::component

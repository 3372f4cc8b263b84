;; A resource that goes through two nested components before it is exported; names that are made from
;; names; an instance that is collected from parts.
(component
  (import "dep:pkg/types@1.0.0" (instance $types
    (export "handle" (type $handle (sub resource)))
    (type $code' (enum "a" "b"))
    (export "code" (type $code (eq $code')))
    (type $list (list (own $handle)))
    (type $open (func (param "code" $code) (result $list)))
    (export "open" (func (type $open)))))
  (alias export $types "handle" (type $handle))
  (alias export $types "code" (type $code))
  (alias export $types "open" (func $open))
  (component $inner
    (import "handle" (type $h (sub resource)))
    (type $code' (enum "a" "b"))
    (import "code" (type $c (eq $code')))
    (type $l (list (own $h)))
    (import "open" (func $open (param "code" $c) (result $l)))
    (export $h2 "handle" (type $h))
    (export $c2 "kind" (type $c))
    (type $l2 (list (own $h2)))
    (type $r' (record (field "code" $c2) (field "handles" $l2)))
    (export $r "opened" (type $r'))
    (export "open" (func $open) (func (param "code" $c2) (result $l2))))
  (component $outer
    (alias outer 1 $inner (component $inner))
    (import "handle" (type $h (sub resource)))
    (type $code' (enum "a" "b"))
    (import "code" (type $c (eq $code')))
    (type $l (list (own $h)))
    (import "open" (func $open (param "code" $c) (result $l)))
    (instance $i (instantiate $inner
      (with "handle" (type $h)) (with "code" (type $c)) (with "open" (func $open))))
    (export "again" (instance $i)))
  (instance $o (instantiate $outer
    (with "handle" (type $handle)) (with "code" (type $code)) (with "open" (func $open))))
  (alias export $o "again" (instance $again))
  (export "my:own/api@0.3.0" (instance $again))
  (alias export $again "open" (func $last))
  (instance $bag (export "open" (func $last)))
  (export "second" (func $open))
)

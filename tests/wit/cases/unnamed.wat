;; One interface seen twice, with unnamed types inside of named ones.
(component
  (import "a:b/c" (instance $i
    (type $l (list string))
    (type $v' (variant (case "l" $l)))
    (export "v" (type (eq $v')))))
  (component $c
    (type $l (list string))
    (type $w' (variant (case "n" u16) (case "l" $l)))
    (export "w" (type $w'))
    (type $v' (variant (case "l" $l)))
    (export "v" (type $v')))
  (instance $e (instantiate $c))
  (export "a:b/c" (instance $e))
)

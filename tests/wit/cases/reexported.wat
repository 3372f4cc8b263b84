;; WIT has no way to say that one interface is another one under a second name.
(component
  (import "a:b/c" (instance $i (export "thing" (type (sub resource)))))
  (export "d:e/f" (instance $i)))

;; Imported modules and components are no part of a world.
(component
  (import "m" (core module (export "f" (func))))
  (import "c" (component))
  (import "f" (func))
  (core module (func (export "g")))
)

#ifndef TENON_WASMTIME_H
#define TENON_WASMTIME_H

/* What Tenon needs of Wasmtime and its C API does not offer: implemented in
 * deps/wasmtime/src/extend.rs. The rules of the C API hold: pointers are not null unless said, a
 * store is used by one thread at a time, items of one store are not used with another. */

#include <wasmtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lets the pool ask the system which pages a guest wrote (PAGEMAP_SCAN, Linux 6.7 or newer), so
 * that `..._keep_resident_set` counts pages that were written, wherever they are: they are set back
 * to what they were and stay mapped. Returns whether this system can; if not, nothing is changed,
 * and `keep_resident` means the first bytes of every memory. */
bool tenon_wasmtime_pool_scan_pages(wasmtime_pooling_allocation_config_t* config);

/* An export of a module, looked up: valid for every instance of that module, on any thread. */
typedef struct tenon_wasmtime_export tenon_wasmtime_export_t;

/* Returns null when the module has no such export. The caller owns what is returned. */
tenon_wasmtime_export_t* tenon_wasmtime_module_export(const wasmtime_module_t* module,
                                                      const char* name, size_t name_len);
/* Null is allowed. */
void tenon_wasmtime_module_export_delete(tenon_wasmtime_export_t* export_);

/* As wasmtime_instance_export_get, without the name. Returns false, and writes nothing, when
 * `instance` is of another module than the export. */
bool tenon_wasmtime_instance_item(wasmtime_context_t* store, const wasmtime_instance_t* instance,
                                  const tenon_wasmtime_export_t* export_, wasmtime_extern_t* item);

/* All functions of a linker at once, as items of `store`: the function whose name is the decimal
 * number N is written to functions[N], if N < count. What has another name is left out. Each call
 * adds a copy of every function to the store: once for each store. Returns how many were written;
 * the rest stays as it is. */
size_t tenon_wasmtime_linker_functions(const wasmtime_linker_t* linker, wasmtime_context_t* store,
                                       wasmtime_func_t* functions, size_t count);

/* What a store may take. */
typedef struct tenon_wasmtime_limits {
  uint64_t bytes;          /* of all linear memories, GC heaps and tables together */
  uint64_t table_elements; /* of any one table */
  uint32_t instances;
  uint32_t tables;
  uint32_t memories;
} tenon_wasmtime_limits_t;

/* As wasmtime_store_limiter, which knows no limit of all memories together; it replaces that one's
 * limits. Once for each store, before anything is in it. */
void tenon_wasmtime_store_limit(wasmtime_store_t* store, const tenon_wasmtime_limits_t* limits);

#ifdef __cplusplus
}
#endif

#endif

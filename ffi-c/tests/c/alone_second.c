#include <kv.h>

kv_status_t second_half(kv_store_t store);

kv_status_t second_half(kv_store_t store) { return kv_set(store, "k", 1, "v", 1); }

/* The header needs no other before it and may come twice; alone_second.c is the other half of the
   same program. */
#include <kv.h>
#include <kv.h>

kv_status_t second_half(kv_store_t store);

int main(void) {
  kv_store_t store;
  if (kv_open(NULL, &store) != KV_OK) return 1;
  if (second_half(store) != KV_OK) return 2;
  return kv_close(store) != KV_OK || kv_flush() != KV_OK;
}

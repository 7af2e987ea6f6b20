// Two elements a VM: its port is guarded, and what the port may say it is.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "floor.h"

// A concatenated key: each field on a multiple of four bytes.
struct Binding {
  char port[16];
  uint8_t mac[8];
  struct in_addr address;
};

static void PutElement(struct Batch* batch, uint16_t type, uint16_t flags, const char* table, const char* set,
                       const void* key, size_t size) {
  const struct nfgenmsg header = {.nfgen_family = NFPROTO_BRIDGE, .version = NFNETLINK_V0};
  BeginMessage(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &header, sizeof header);
  PutText(batch, NFTA_SET_ELEM_LIST_TABLE, table);
  PutText(batch, NFTA_SET_ELEM_LIST_SET, set);
  struct nlattr* elements = BeginNest(batch, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
  struct nlattr* element = BeginNest(batch, NFTA_LIST_ELEM | NLA_F_NESTED);
  struct nlattr* data = BeginNest(batch, NFTA_SET_ELEM_KEY | NLA_F_NESTED);
  PutAttribute(batch, NFTA_DATA_VALUE, key, size);
  EndNest(batch, data);
  EndNest(batch, element);
  EndNest(batch, elements);
}

static void PutBoundary(struct Batch* batch, uint16_t type) {
  const struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  BeginMessage(batch, type, 0, &header, sizeof header);
}

static void ChangeElements(const struct Network* network, const struct Vm* vm, uint16_t type, uint16_t flags,
                           const char* what) {
  struct Batch batch = {.length = 0};
  struct Binding binding = {.address = vm->address};
  memcpy(binding.port, vm->host_link, sizeof vm->host_link);
  memcpy(binding.mac, vm->guest_mac, sizeof vm->guest_mac);
  PutBoundary(&batch, NFNL_MSG_BATCH_BEGIN);
  PutElement(&batch, type, flags, network->table, "ports", binding.port, sizeof binding.port);
  PutElement(&batch, type, flags | NLM_F_ACK, network->table, "bindings4", &binding, sizeof binding);
  PutBoundary(&batch, NFNL_MSG_BATCH_END);
  Transact(network->nft_socket, &batch, what);
}

void AddElements(const struct Network* network, const struct Vm* vm) {
  ChangeElements(network, vm, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, "add the set elements");
}

void DeleteElements(const struct Network* network, const struct Vm* vm) {
  ChangeElements(network, vm, NFT_MSG_DELSETELEM, 0, "delete the set elements");
}

// Netlink messages, as many as are needed in one send.
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct Batch {
  _Alignas(NLMSG_ALIGNTO) char data[4096];
  size_t length;
  struct nlmsghdr* message;
};

int OpenNetlink(int protocol);

// The family's own header is copied after netlink's.
void BeginMessage(struct Batch* batch, uint16_t type, uint16_t flags, const void* header, size_t size);

void PutAttribute(struct Batch* batch, uint16_t type, const void* data, size_t size);
void PutText(struct Batch* batch, uint16_t type, const char* text);
void PutUint32(struct Batch* batch, uint16_t type, uint32_t value);

struct nlattr* BeginNest(struct Batch* batch, uint16_t type);
void EndNest(struct Batch* batch, struct nlattr* nest);

// Sends all and waits for the acknowledgement of the one message that asked for it; any error ends the
// process.
void Transact(int socket, struct Batch* batch, const char* what);

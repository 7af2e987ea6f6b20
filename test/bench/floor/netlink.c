#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "floor.h"

int OpenNetlink(int protocol) {
  return Checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "open a netlink socket");
}

static void* Append(struct Batch* batch, const void* data, size_t size) {
  const size_t aligned = NLMSG_ALIGN(size);
  if (batch->length + aligned > sizeof batch->data) {
    errno = EMSGSIZE;
    Die("fill a batch");
  }
  char* place = batch->data + batch->length;
  memcpy(place, data, size);
  memset(place + size, 0, aligned - size);
  batch->length += aligned;
  if (batch->message != NULL) batch->message->nlmsg_len += (uint32_t)aligned;
  return place;
}

void BeginMessage(struct Batch* batch, uint16_t type, uint16_t flags, const void* header, size_t size) {
  const struct nlmsghdr message = {
      .nlmsg_len = sizeof message, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
  batch->message = NULL;
  batch->message = Append(batch, &message, sizeof message);
  Append(batch, header, size);
}

void PutAttribute(struct Batch* batch, uint16_t type, const void* data, size_t size) {
  const struct nlattr attribute = {.nla_len = (uint16_t)(sizeof attribute + size), .nla_type = type};
  Append(batch, &attribute, sizeof attribute);
  Append(batch, data, size);
}

void PutText(struct Batch* batch, uint16_t type, const char* text) {
  PutAttribute(batch, type, text, strlen(text) + 1);
}

void PutUint32(struct Batch* batch, uint16_t type, uint32_t value) {
  PutAttribute(batch, type, &value, sizeof value);
}

struct nlattr* BeginNest(struct Batch* batch, uint16_t type) {
  const struct nlattr nest = {.nla_len = sizeof nest, .nla_type = type};
  return Append(batch, &nest, sizeof nest);
}

void EndNest(struct Batch* batch, struct nlattr* nest) {
  nest->nla_len = (uint16_t)(batch->data + batch->length - (char*)nest);
}

void Transact(int socket, struct Batch* batch, const char* what) {
  Checked((int)send(socket, batch->data, batch->length, 0), what);
  for (;;) {
    _Alignas(NLMSG_ALIGNTO) char reply[8192];
    ssize_t length = Checked((int)recv(socket, reply, sizeof reply, 0), what);
    for (struct nlmsghdr* message = (struct nlmsghdr*)reply; NLMSG_OK(message, length);
         message = NLMSG_NEXT(message, length)) {
      if (message->nlmsg_type != NLMSG_ERROR) continue;
      const struct nlmsgerr* error = NLMSG_DATA(message);
      if (error->error == 0) return;
      errno = -error->error;
      Die(what);
    }
  }
}

#include "nft/batch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"

namespace vulcan::nft {

Batch::Batch(Messages messages)
    : Batch(std::nullopt, messages == Messages::kSmall ? kSmallSizes : kAnySizes) {}

Batch::Batch(std::uint32_t generation) : Batch(std::optional(generation), kAnySizes) {}

Batch::Batch(std::optional<std::uint32_t> generation, Sizes sizes)
    : sizes_(sizes), batch_(nftnl_batch_alloc(sizes.page, sizes.overrun)) {
  if (!batch_) throw std::bad_alloc();
  std::memset(Cursor(), 0, sizes_.page + sizes_.overrun);
  nlmsghdr* header = nftnl_batch_begin(Cursor(), 0);
  if (generation) mnl_attr_put_u32(header, NFNL_BATCH_GENID, htonl(*generation));
  steps_.push_back({"NFNL_MSG_BATCH_BEGIN", "the transaction"});
  Advance();
}

void Batch::Advance() {
  const int pages = nftnl_batch_iovec_len(batch_.get());
  if (nftnl_batch_update(batch_.get()) < 0) throw std::bad_alloc();
  if (nftnl_batch_iovec_len(batch_.get()) != pages) ClearPage();
}

void Batch::ClearPage() {
  const iovec page = Parts().back();
  std::memset(Cursor(), 0, sizes_.page + sizes_.overrun - page.iov_len);
}

void Batch::Add(std::uint16_t type, std::uint8_t family, std::uint16_t flags, std::string subject,
                const Payload& payload) {
  const auto sequence = static_cast<std::uint32_t>(steps_.size());
  // Each message is acknowledged: silence then always means that answers were lost.
  const auto all_flags = static_cast<std::uint16_t>(flags | NLM_F_ACK);
  payload(nftnl_nlmsg_build_hdr(Cursor(), type, family, all_flags, sequence));
  steps_.push_back({MessageName(type), std::move(subject)});
  Advance();
}

std::vector<iovec> Batch::Parts() const {
  std::vector<iovec> parts(static_cast<std::size_t>(nftnl_batch_iovec_len(batch_.get())));
  nftnl_batch_iovec(batch_.get(), parts.data(), static_cast<std::uint32_t>(parts.size()));
  return parts;
}

std::size_t Batch::Count(std::uint16_t type) const {
  const std::string name = MessageName(type);
  return static_cast<std::size_t>(std::count_if(steps_.begin(), steps_.end(),
                                                [&name](const Step& step) { return step.message == name; }));
}

void Batch::Commit(Socket& socket) {
  nftnl_batch_end(Cursor(), static_cast<std::uint32_t>(steps_.size()));
  Advance();
  std::vector<iovec> parts = Parts();
  Verify(socket.Exchange(parts));
}

void Batch::Verify(const std::vector<Acknowledgement>& acknowledgements) const {
  std::size_t acknowledged = 0;
  const Acknowledgement* first = nullptr;
  for (const Acknowledgement& acknowledgement : acknowledgements) {
    if (acknowledgement.sequence >= steps_.size()) continue;
    if (acknowledgement.error == 0) {
      ++acknowledged;
    } else if (first == nullptr || acknowledgement.sequence < first->sequence) {
      first = &acknowledgement;
    }
  }
  if (first != nullptr) {
    const Step& step = steps_[first->sequence];
    throw Error(first->error, step.message).Path(step.subject).Kernel(first->text);
  }
  if (acknowledged + 1 < steps_.size()) {
    throw Error(ENOBUFS, "recv(NETLINK_NETFILTER)", "the kernel's answers to the transaction were lost");
  }
}

}  // namespace vulcan::nft

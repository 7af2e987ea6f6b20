#pragma once

#include <atomic>
#include <optional>

#include "base/unique_fd.h"
#include "netlink/rtnl_socket.h"
#include "sys/namespace_worker.h"

namespace vulcan {

// A namespace without a name, and what only its own threads can open. It ends with this object, unless
// something else refers to it.
struct NewNamespace {
  UniqueFd fd;
  RtnlSocket links;
  UniqueFd tun;
};

// Makes namespaces on a thread of its own: the kernel needs as long for an empty one as for everything that
// is put into it. One is begun when it is known to be wanted, and the next while somebody else waits for it.
// One thread at a time calls it, but for Want and Unwant.
class NamespaceSource {
 public:
  // Every Want is followed by a Take or an Unwant.
  void Want() noexcept { ++wanted_; }
  void Unwant() noexcept { --wanted_; }

  // Makes one beside, unless that is begun already.
  void Begin();
  [[nodiscard]] NewNamespace Take();

 private:
  std::atomic<int> wanted_{0};
  bool begun_ = false;
  std::optional<NewNamespace> made_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

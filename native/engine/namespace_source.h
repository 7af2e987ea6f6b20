#pragma once

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

// Makes namespaces on a thread of its own, one ahead: the kernel needs as long for an empty one as for half
// of what is put into it. One thread at a time calls it.
class NamespaceSource {
 public:
  // Makes one beside, unless there is one. Take says what went wrong. Both sides use RTNL, so it saves time
  // only where the caller has something else to do meanwhile.
  void Begin() noexcept;
  [[nodiscard]] NewNamespace Take();

 private:
  void Start();
  [[nodiscard]] NewNamespace Finish();

  bool begun_ = false;
  std::optional<NewNamespace> made_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

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

// Makes namespaces on a thread of its own, up to two ahead: the kernel needs as long for an empty one as for
// half of what is put into it, and holds back, with RTNL, whoever is about that. So whoever takes one finds
// it made, and the next is best begun when he is done with RTNL. One thread at a time calls it.
class NamespaceSource {
 public:
  // Makes one beside, unless one is being made. Take says what went wrong.
  void Begin() noexcept;
  // The same, unless one is there.
  void BeginFirst() noexcept;
  [[nodiscard]] NewNamespace Take();

 private:
  void Start();
  // Of the one that was begun; waits for it.
  [[nodiscard]] NewNamespace Finish();
  [[nodiscard]] NewNamespace FinishOrRetry();
  // What was begun and is made by now.
  void Keep();

  bool begun_ = false;
  std::optional<NewNamespace> made_;
  std::optional<NewNamespace> ready_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

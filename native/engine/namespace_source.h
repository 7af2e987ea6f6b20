#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "netlink/rtnl_socket.h"
#include "sys/namespace_worker.h"
#include "sys/tap.h"

namespace vulcan {

struct TapPlan {
  std::string name;
  TapOwner owner;
};

// A namespace without a name, what only its own threads can open, and its TAP. It ends with this object, and
// so does the TAP, unless something else refers to them.
struct NewNamespace {
  UniqueFd fd;
  RtnlSocket links;
  std::optional<Tap> tap;
};

// Makes namespaces on a thread of its own, up to two ahead: the kernel needs as long for one with a TAP as
// for half of what else is put into it, and holds back, with RTNL, whoever is about that. So whoever takes
// one finds it made, and the next is best begun when he is done with RTNL. The TAP is as whoever began it
// wanted his own: most want the same. One thread at a time calls it.
class NamespaceSource {
 public:
  // Makes one beside, unless one is being made. Take says what went wrong.
  void Begin(const TapPlan& tap) noexcept;
  // The same, unless one is there.
  void BeginFirst(const TapPlan& tap) noexcept;
  // Its TAP is the one that was begun, or `tap`.
  [[nodiscard]] NewNamespace Take(const TapPlan& tap);

 private:
  void Start(const TapPlan& tap);
  // Of the one that was begun; waits for it.
  [[nodiscard]] NewNamespace Finish();
  [[nodiscard]] NewNamespace FinishOrRetry(const TapPlan& tap);
  // What was begun and is made by now.
  void Keep();

  bool begun_ = false;
  std::optional<NewNamespace> made_;
  std::optional<NewNamespace> ready_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

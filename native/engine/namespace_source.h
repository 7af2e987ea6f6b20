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

// A namespace without a name, and what only its own threads can open: a TAP, or what one can be made of. It
// ends with this object, unless something else refers to it.
struct NewNamespace {
  UniqueFd fd;
  RtnlSocket links;
  UniqueFd tun;
  std::optional<Tap> tap;
};

// Makes namespaces on a thread of its own, up to two ahead: the kernel needs as long for one with a TAP as
// for half of what else is put into it, and holds back, with RTNL, whoever is about that. So whoever takes
// one finds it made, and the next is best begun when he is done with RTNL. It has a TAP where the last two
// wanted the same name: to give it another, the kernel would wait with RTNL held, and tell its log
// (dev_change_name of net/core/dev.c). One thread at a time calls it.
class NamespaceSource {
 public:
  // Makes one beside, unless one is being made. Take says what went wrong.
  void Begin(const TapPlan& tap) noexcept;
  // The same, unless one is there.
  void BeginFirst(const TapPlan& tap) noexcept;
  // Its TAP, where it has one, has that name.
  [[nodiscard]] NewNamespace Take(const TapPlan& tap);

 private:
  void Start(const TapPlan& tap);
  // Of the one that was begun; waits for it.
  [[nodiscard]] NewNamespace Finish();
  [[nodiscard]] NewNamespace FinishOrRetry(const TapPlan& tap);
  [[nodiscard]] NewNamespace TakeAny(const TapPlan& tap);
  // What was begun and is made by now.
  void Keep();

  // Of the last that was begun.
  std::string tap_name_;
  bool begun_ = false;
  std::optional<NewNamespace> made_;
  std::optional<NewNamespace> ready_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

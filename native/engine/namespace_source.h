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
// One thread at a time calls it; only a Wish may come and go on any.
class NamespaceSource {
 public:
  // That somebody is going to take one. Ended before Take.
  class Wish {
   public:
    explicit Wish(NamespaceSource& source) noexcept : wishes_(source.wishes_) { ++wishes_; }
    ~Wish() { --wishes_; }

    Wish(const Wish&) = delete;
    Wish& operator=(const Wish&) = delete;

   private:
    std::atomic<int>& wishes_;
  };

  // Makes one beside, unless that is begun already. Take says what went wrong.
  void Begin() noexcept;
  [[nodiscard]] NewNamespace Take();
  // Lets go of what was begun for somebody who has given up, unless somebody else wants it.
  void Drop() noexcept;

 private:
  void Start();

  std::atomic<int> wishes_{0};
  bool begun_ = false;
  std::optional<NewNamespace> made_;
  // Last, as its thread uses the rest.
  NamespaceWorker worker_;
};

}  // namespace vulcan

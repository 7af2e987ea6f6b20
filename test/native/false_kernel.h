#pragma once

#include <cstdint>
#include <functional>

namespace vulcan {

// What the kernel says only at its worst, said for it: for the netlink sockets of the calling thread.
struct FalseKernel {
  // So many messages of this type are refused, and not done.
  std::uint16_t refused_type = 0;
  int refused_errnum = 0;
  int refusals = 0;
  // So many answers are lost on the way: recvfrom() and recv() say ENOBUFS.
  int losses = 0;
  // So many datagrams say that the tables changed meanwhile.
  int interruptions = 0;
  // So many answers arrive before the first is lost.
  int arrivals = 0;
  // What comes to pass before a message of this type goes.
  std::function<void(std::uint16_t)> before = nullptr;
};

[[nodiscard]] FalseKernel& TheFalseKernel();

}  // namespace vulcan

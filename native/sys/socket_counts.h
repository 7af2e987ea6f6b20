#pragma once

namespace vulcan {

// What a network namespace has of sockets, whoever has them.
struct SocketCounts {
  // A descriptor of /dev/net/tun is one, too.
  int open = 0;
  // TCP connections in TIME_WAIT, which are nobody's: for a minute their ports can't be bound.
  int waiting = 0;
  // IPv4 datagrams of which fragments are still to come.
  int incomplete = 0;
};

// In the namespace that the thread is in by now; `thread` is its directory in /proc.
[[nodiscard]] SocketCounts CountSockets(int thread);

}  // namespace vulcan

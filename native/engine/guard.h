#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/ip_address.h"
#include "netlink/mac_address.h"
#include "nft/socket.h"

// Anti-spoofing, in the network namespace of the calling thread. Any number of processes may change it at
// once.
namespace vulcan::guard {

struct Binding {
  MacAddress mac{};
  IpAddress address;

  friend bool operator==(const Binding&, const Binding&) = default;
};

// A bridge port or a link that is routed to, and what the guest behind it may say it is. Whatever else comes
// in there is dropped.
struct Port {
  std::string link;
  std::vector<Binding> bindings;
  bool routed = false;
};

// The tables for either kind of port, and each of their rules once, but those of a newer layout as they are;
// whether one was not there. EEXIST with reason foreign when a table of that name is not ours.
bool Ensure(bool routed, const Cancellation& cancellation);

// What of those tables is not as Ensure would leave it: "table" or "rules". A table of a newer layout may
// have other rules.
[[nodiscard]] std::vector<std::string> Check(bool routed, const Cancellation& cancellation);

// Which tables guard either kind of port: one that somebody has made again guards none of those of before.
// Empty where one is missing.
using TableHandles = std::vector<std::uint64_t>;
[[nodiscard]] TableHandles HandlesOf(nft::Socket& socket, bool routed);

// The same, but a table that is missing is made. To be read before ports are added: of tables that are
// replaced in between, it then is the ones that are gone, never the ones that lack the ports.
[[nodiscard]] TableHandles NeedTables(nft::Socket& socket, bool routed, const Cancellation& cancellation);

// In one transaction. Makes the tables when somebody has removed them.
void Add(nft::Socket& socket, const Port& port, const Cancellation& cancellation);

// The same for some, which are all of one kind.
void AddAll(nft::Socket& socket, const std::vector<Port>& ports, const Cancellation& cancellation);

// What is not there is fine.
void Remove(nft::Socket& socket, const Port& port);

// The same for many: a transaction for all of them takes hardly longer than for one.
void RemoveAll(nft::Socket& socket, const std::vector<Port>& ports);

// What is guarded, sorted by link.
[[nodiscard]] std::vector<Port> List();

// Each table, unless there are guarded ports in it; whether they are gone.
bool RemoveUnused(const Cancellation& cancellation);

}  // namespace vulcan::guard

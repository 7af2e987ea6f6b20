// What nf_tables answers, and what others have stored there. The input's first byte chooses the request.
#include <linux/netfilter.h>
#include <unistd.h>

#include <array>

#include "base/cancellation.h"
#include "base/error.h"
#include "engine/firewall.h"
#include "engine/foreign_chains.h"
#include "engine/guard.h"
#include "fuzz/kernel.h"
#include "nft/chain.h"
#include "nft/element.h"
#include "nft/fate.h"
#include "nft/table.h"

namespace vulcan {
namespace {

const nft::Table& SomeTable() {
  static const nft::Table table{NFPROTO_INET, "t"};
  return table;
}

void List(nft::Socket& socket, bool interval) {
  const nft::Set set{"s", {nft::DataType::kIpv4}, interval, {}};
  static_cast<void>(nft::ListElements(socket, SomeTable(), set));
}

// libnftnl ends the process over an attribute of a type that it doesn't expect ("kernel ABI is broken").
struct BrokenAbi {};
bool asking = false;

using Request = void (*)(nft::Socket&);
constexpr std::array<Request, 10> kRequests = {
    [](nft::Socket& socket) { static_cast<void>(socket.Generation()); },
    [](nft::Socket& socket) { static_cast<void>(nft::ReadTable(socket, SomeTable())); },
    [](nft::Socket& socket) { static_cast<void>(nft::ListChains(socket)); },
    [](nft::Socket& socket) { static_cast<void>(nft::ReadFate(socket, SomeTable(), "c")); },
    [](nft::Socket& socket) { List(socket, true); },
    [](nft::Socket& socket) { List(socket, false); },
    [](nft::Socket&) { static_cast<void>(guard::List()); },
    [](nft::Socket&) { static_cast<void>(firewall::List(Cancellation())); },
    [](nft::Socket&) { static_cast<void>(ListForeignChains()); },
    [](nft::Socket&) { guard::Ensure(true, Cancellation()); },
};

}  // namespace
}  // namespace vulcan

// Stands for exit() in the libraries, too. Under a name of its own, because the system's may not throw.
extern "C" __attribute__((visibility("default"))) void ExitOfLibrary(int status) __asm__("exit");
extern "C" void ExitOfLibrary(int status) {
  if (vulcan::asking) throw vulcan::BrokenAbi{};
  ::_exit(status);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vulcan::nft::Socket socket;
  if (size == 0) return 0;
  vulcan::fuzz::AnswerWith({data + 1, size - 1});
  vulcan::asking = true;
  try {
    vulcan::kRequests.at(data[0] % vulcan::kRequests.size())(socket);
  } catch (const vulcan::Error&) {
    vulcan::asking = false;
  } catch (const vulcan::BrokenAbi&) {
    vulcan::asking = false;
  }
  vulcan::asking = false;
  return 0;
}

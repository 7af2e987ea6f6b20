// What rtnetlink answers to each request that reads. The input's first byte chooses the request.
#include <linux/rtnetlink.h>

#include <array>

#include "base/error.h"
#include "fuzz/kernel.h"
#include "netlink/address.h"
#include "netlink/filter.h"
#include "netlink/link.h"
#include "netlink/qdisc.h"
#include "netlink/route.h"
#include "netlink/rtnl_socket.h"

namespace vulcan {
namespace {

constexpr int kLink = 2;

void SendTwo(RtnlSocket& socket) {
  RtnlBatch batch;
  batch.Add(NewIngressQdisc(kLink));
  batch.Add(NewRedirectFilter(kLink, kLink + 1));
  static_cast<void>(socket.Send(std::move(batch)));
}

using Request = void (*)(RtnlSocket&);
constexpr std::array<Request, 9> kRequests = {
    [](RtnlSocket& socket) { static_cast<void>(DumpLinks(socket)); },
    [](RtnlSocket& socket) { static_cast<void>(DumpAddresses(socket)); },
    [](RtnlSocket& socket) { static_cast<void>(DumpRoutes(socket)); },
    [](RtnlSocket& socket) { static_cast<void>(DumpQdiscs(socket)); },
    [](RtnlSocket& socket) { static_cast<void>(DumpIngressFilters(socket, kLink)); },
    [](RtnlSocket& socket) { static_cast<void>(FindLink(socket, "eth0")); },
    [](RtnlSocket& socket) { static_cast<void>(FindLink(socket, kLink)); },
    [](RtnlSocket& socket) { socket.Request(DelIngressQdisc(kLink)); },
    SendTwo,
};

}  // namespace
}  // namespace vulcan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vulcan::RtnlSocket socket;
  if (size == 0) return 0;
  vulcan::fuzz::AnswerWith({data + 1, size - 1});
  try {
    vulcan::kRequests.at(data[0] % vulcan::kRequests.size())(socket);
  } catch (const vulcan::Error&) {
    return 0;
  }
  return 0;
}

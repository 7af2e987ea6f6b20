#include "sys/socket_counts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"
#include "namespace_test.h"
#include "sys/netns.h"

namespace vulcan {
namespace {

void SetLoopbackUp() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ASSERT_EQ(::ioctl(socket.Get(), SIOCSIFFLAGS, &request), 0);
}

[[nodiscard]] sockaddr_in Loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// The first part of a datagram, and none of the others.
void SendFragment() {
  const UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  struct {
    iphdr head;
    char data[8];
  } packet{};
  packet.head.version = 4;
  packet.head.ihl = sizeof packet.head / 4;
  packet.head.ttl = 64;
  packet.head.protocol = IPPROTO_UDP;
  packet.head.id = htons(7);
  packet.head.frag_off = htons(IP_MF);
  packet.head.saddr = packet.head.daddr = htonl(INADDR_LOOPBACK);
  const sockaddr_in to = Loopback();
  ASSERT_EQ(
      ::sendto(socket.Get(), &packet, sizeof packet, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
      static_cast<ssize_t>(sizeof packet));
}

// A connection that is closed in good order, by whoever began it first.
void Converse() {
  const UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback();
  socklen_t size = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(server.Get(), where, size), 0);
  ASSERT_EQ(::listen(server.Get(), 1), 0);
  ASSERT_EQ(::getsockname(server.Get(), where, &size), 0);
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.Get(), where, size), 0);
  const UniqueFd accepted(::accept4(server.Get(), nullptr, nullptr, SOCK_CLOEXEC));
  client.Reset();
  char byte = 0;
  ASSERT_EQ(::read(accepted.Get(), &byte, 1), 0);
}

// In a new namespace, once `leave` is done there; the kernel frees sockets some time after they are closed.
[[nodiscard]] SocketCounts CountAfter(const std::function<void()>& leave, int left_open = 0) {
  SocketCounts counts;
  RunInNewNamespace([&] {
    SetLoopbackUp();
    leave();
    const UniqueFd thread(::open("/proc/thread-self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      counts = CountSockets(thread.Get());
      if (counts.open == left_open || std::chrono::steady_clock::now() > deadline) break;
    }
  });
  return counts;
}

using SocketCountsTest = NamespaceTest;

TEST_F(SocketCountsTest, AreNoneOfANewNamespace) {
  const SocketCounts counts = CountAfter([] {});
  EXPECT_EQ(counts.open, 0);
  EXPECT_EQ(counts.waiting, 0);
  EXPECT_EQ(counts.incomplete, 0);
}

TEST_F(SocketCountsTest, KnowOpenOnes) {
  UniqueFd socket;
  const auto open = [&] { socket = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)); };
  EXPECT_EQ(CountAfter(open, 1).open, 1);
}

TEST_F(SocketCountsTest, KnowPortsThatNobodyHasAndNobodyCanHave) {
  const SocketCounts counts = CountAfter(Converse);
  EXPECT_EQ(counts.open, 0);
  EXPECT_EQ(counts.waiting, 1);
}

TEST_F(SocketCountsTest, KnowFragmentsOfWhichTheRestIsMissing) {
  const SocketCounts counts = CountAfter(SendFragment);
  EXPECT_EQ(counts.open, 0);
  EXPECT_EQ(counts.incomplete, 1);
}

}  // namespace
}  // namespace vulcan

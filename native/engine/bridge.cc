#include "engine/bridge.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "base/undo.h"
#include "netlink/address.h"
#include "netlink/bridge_link.h"
#include "netlink/link.h"
#include "netlink/link_change.h"
#include "sys/sysctl.h"

namespace vulcan {
namespace {

class BridgeTransaction {
 public:
  explicit BridgeTransaction(const BridgePlan& plan) : plan_(plan) {}

  BridgeState Run(const Cancellation& cancellation) {
    try {
      FindOrCreate();
      RefuseOtherAddresses();
      cancellation.ThrowIfCancelled();
      if (IsOurs() && !plan_.bare) SetIpv6();
      if (IsOurs()) SetForwarding();
      if (plan_.proxy_arp) SetProxyArp();
      Configure();
      cancellation.ThrowIfCancelled();
      return Report();
    } catch (Error& error) {
      undo_.Unwind(error);
      throw;
    }
  }

 private:
  void FindOrCreate() {
    auto link = FindLink(socket_, plan_.name);
    if (!link) {
      undo_.Push([this] { RemoveCreated(); });
      try {
        socket_.Request(plan_.bare ? NewBareBridge(plan_.name, plan_.mac) : NewBridge(plan_.name, plan_.mac));
        created_ = true;
      } catch (const Error& error) {
        // Another process was faster.
        if (error.Errnum() != EEXIST) throw;
        is_others_ = true;
      }
      link = FindLink(socket_, plan_.name);
    }
    if (!link) throw Error(ENODEV, RtnlTypeName(RTM_GETLINK)).Path(plan_.name);
    if (link->kind != "bridge") {
      throw Error(EEXIST, RtnlTypeName(RTM_NEWLINK), "a link of another kind has this name")
          .Path(plan_.name)
          .Why(Reason::kWrongKind);
    }
    bridge_ = *std::move(link);
  }

  // One that was there before keeps what is not the network's: its MTU, and what it is in IPv6.
  [[nodiscard]] bool IsOurs() const { return created_ || bridge_.mac == FormatMac(plan_.mac); }

  // What failed may be the answer alone: then nobody has set it up yet.
  void RemoveCreated() {
    if (is_others_) return;
    const auto link = FindLink(socket_, plan_.name);
    const bool is_fresh = link && link->kind == "bridge" && link->mac == FormatMac(plan_.mac) && !link->up;
    if (link && (created_ || is_fresh)) socket_.Request(DelLink(link->index));
  }

  [[nodiscard]] bool IsPlanned(const IpPrefix& prefix) const {
    return std::find(plan_.addresses.begin(), plan_.addresses.end(), prefix) != plan_.addresses.end();
  }

  // An address of a family that the plan has none of is none of our business, and so are IPv6's link-local
  // ones.
  [[nodiscard]] bool IsConflict(const IpPrefix& prefix) const {
    const int family = prefix.address.Family();
    const auto same_family = [&](const IpPrefix& planned) { return planned.address.Family() == family; };
    const bool kernels_own = family == AF_INET6 && prefix.address.IsLinkLocal();
    return !kernels_own && !IsPlanned(prefix) &&
           std::any_of(plan_.addresses.begin(), plan_.addresses.end(), same_family);
  }

  void RefuseOtherAddresses() {
    for (const LinkAddress& address : DumpAddresses(socket_)) {
      if (address.link != bridge_.index) continue;
      if (IsConflict(address.prefix)) {
        throw Error(EEXIST, RtnlTypeName(RTM_NEWADDR), "the bridge already has " + address.prefix.ToString())
            .Path(plan_.name)
            .Why(Reason::kAddressConflict);
      }
      present_.push_back(address.prefix);
    }
  }

  // Before the bridge is up, so that it never has a link-local address that is not wanted.
  void SetIpv6() {
    const std::string key = "net/ipv6/conf/" + plan_.name + "/disable_ipv6";
    const auto disabled = ReadSysctl(key);
    // No key: a kernel without IPv6.
    if (!disabled) return;
    const std::string wanted = plan_.ipv6 ? "0" : "1";
    if (*disabled == wanted) return;
    // Writing conf/all/disable_ipv6 resets every link's own; the generation mode stays, and with it the
    // silence.
    LinkChange generation;
    generation.ipv6 = plan_.ipv6 ? AddressGeneration::kEui64 : AddressGeneration::kNone;
    socket_.Request(SetLink(bridge_.index, generation));
    WriteSysctl(key, wanted);
    if (!created_) undo_.Push([key, before = *disabled] { WriteSysctl(key, before); });
  }

  // IPv4's is each link's own (IN_DEV_FORWARD of net/ipv4/route.c), and a new link's is that of conf.default;
  // IPv6 asks conf.all alone.
  void SetForwarding() { SetSysctl("net/ipv4/conf/" + plan_.name + "/forwarding", "1"); }

  // The kernel's own delay would cost the first packet to each guest a second.
  void SetProxyArp() {
    SetSysctl("net/ipv4/neigh/" + plan_.name + "/proxy_delay", "0");
    SetSysctl("net/ipv4/conf/" + plan_.name + "/proxy_arp", "1");
  }

  void SetSysctl(const std::string& key, const std::string& value) {
    const auto before = ReadSysctl(key);
    if (!WriteSysctl(key, value) || created_) return;
    undo_.Push([key, before] { WriteSysctl(key, before.value()); });
  }

  // One send; of a batch, each request may have taken effect, whatever became of the others.
  void Configure() {
    RtnlBatch batch;
    std::vector<IpPrefix> added;
    for (const IpPrefix& prefix : plan_.addresses) {
      if (std::find(present_.begin(), present_.end(), prefix) != present_.end()) continue;
      // A guest that says that it has the gateway's address, too, must not take it from the host.
      const std::uint8_t flags = prefix.address.Family() == AF_INET6 ? IFA_F_NODAD : 0;
      batch.Add(NewAddress(bridge_.index, prefix, flags));
      added.push_back(prefix);
    }
    LinkChange change;
    change.up = true;
    if (plan_.promiscuous) change.promiscuous = true;
    if (IsOurs() && plan_.mtu != 0 && plan_.mtu != bridge_.mtu) change.mtu = plan_.mtu;
    batch.Add(SetLink(bridge_.index, change));

    const RtnlBatchResult result = SendAddresses(std::move(batch), added);
    for (std::size_t i = 0; i < added.size() && !created_; ++i) {
      if (!result[i]) undo_.Push([this, prefix = added[i]] { RemoveAddress(prefix); });
    }
    for (std::size_t i = 0; i < result.size(); ++i) {
      // Another process was faster.
      const bool there = i < added.size() && result[i] && result[i]->Errnum() == EEXIST;
      if (result[i] && !there) throw Error(*result[i]).Path(plan_.name);
    }
  }

  // Of answers that were lost, each may have been that it took effect.
  [[nodiscard]] RtnlBatchResult SendAddresses(RtnlBatch batch, const std::vector<IpPrefix>& added) {
    try {
      return socket_.Send(std::move(batch));
    } catch (const Error&) {
      for (const IpPrefix& prefix : added) {
        if (!created_) undo_.Push([this, prefix] { RemoveAddressIfThere(prefix); });
      }
      throw;
    }
  }

  void RemoveAddress(const IpPrefix& prefix) { socket_.Request(DelAddress(bridge_.index, prefix)); }

  void RemoveAddressIfThere(const IpPrefix& prefix) {
    try {
      RemoveAddress(prefix);
    } catch (const Error& error) {
      if (error.Errnum() != EADDRNOTAVAIL) throw;
    }
  }

  [[nodiscard]] BridgeState Report() {
    const auto link = FindLink(socket_, bridge_.index);
    if (!link) throw Error(ENODEV, RtnlTypeName(RTM_GETLINK)).Path(plan_.name);
    return {created_, link->mac, link->mtu};
  }

  const BridgePlan& plan_;
  RtnlSocket socket_;
  Link bridge_;
  bool created_ = false;
  bool is_others_ = false;
  std::vector<IpPrefix> present_;
  UndoStack undo_;
};

}  // namespace

BridgeState EnsureBridge(const BridgePlan& plan, const Cancellation& cancellation) {
  return BridgeTransaction(plan).Run(cancellation);
}

}  // namespace vulcan

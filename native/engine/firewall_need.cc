#include "engine/firewall_need.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "engine/firewall_layout.h"
#include "nft/element.h"

namespace vulcan::firewall {
namespace {

struct Place {
  const nft::Set& set;
  nft::Key key;
};

[[nodiscard]] const nft::Set& SetOf(const char* name) {
  return *std::find_if(Sets().begin(), Sets().end(), [&](const nft::Set& set) { return set.name == name; });
}

[[nodiscard]] Place PlaceOf(const Entrance& entrance) {
  static const nft::Set& bridges = SetOf(kBridges);
  static const nft::Set& groups = SetOf(kGroups);
  if (const auto* bridge = std::get_if<std::string>(&entrance)) return {bridges, nft::LinkNameKey(*bridge)};
  return {groups, nft::LinkGroupKey(std::get<std::uint32_t>(entrance))};
}

[[nodiscard]] std::string Describe(const Entrance& entrance) {
  if (const auto* bridge = std::get_if<std::string>(&entrance)) return *bridge;
  return "link group " + std::to_string(std::get<std::uint32_t>(entrance));
}

}  // namespace

void Require(nft::Socket& socket, const Need& need, const std::vector<Entrance>& entrances) {
  const auto is_known = [&](const Entrance& entrance) {
    const Place place = PlaceOf(entrance);
    const auto element = nft::ReadElement(socket, VulcanTable(), place.set, place.key);
    return element && element->comment == need.network;
  };
  const auto unknown = std::find_if_not(entrances.begin(), entrances.end(), is_known);
  if (unknown == entrances.end() && !entrances.empty()) return;
  const auto table = nft::ReadTable(socket, VulcanTable());
  if (!table || table->handle != need.table) {
    throw Error(ENOENT, "NFT_MSG_GETTABLE", table ? "somebody has made it again" : "somebody has deleted it")
        .Path("table inet vulcan")
        .Why(Reason::kFirewallGone);
  }
  if (entrances.empty()) return;
  throw Error(ENOENT, "NFT_MSG_GETSETELEM", "the firewall does not know it as one of network " + need.network)
      .Path(Describe(*unknown))
      .Why(Reason::kFirewallBare);
}

}  // namespace vulcan::firewall

#include "engine/record_text.h"

#include <utility>
#include <variant>

namespace vulcan {

RecordText WithAddresses(const RecordText& text, const std::vector<ReservedAddress>& addresses) {
  RecordText whole;
  std::string known;
  for (const auto& piece : text) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      known += *literal;
    } else if (const auto* address = std::get_if<AddressOf>(&piece)) {
      const ReservedAddress& reserved = addresses.at(address->request);
      known += IpPrefix{reserved.address, reserved.prefix_length}.ToString();
    } else if (const auto* gateway = std::get_if<GatewayOf>(&piece)) {
      known += addresses.at(gateway->request).gateway.value().ToString();
    } else {
      whole.emplace_back(std::move(known));
      whole.push_back(piece);
      known.clear();
    }
  }
  whole.emplace_back(std::move(known));
  return whole;
}

std::string WithNames(const RecordText& text, const AttachmentLocks& locks) {
  const std::string& container = locks.container.empty() ? locks.vm : locks.container;
  std::string all;
  for (const auto& piece : text) {
    if (const auto* name = std::get_if<VmName>(&piece)) {
      all += *name == VmName::kVm ? locks.vm : container;
    } else {
      all += std::get<std::string>(piece);
    }
  }
  return all;
}

}  // namespace vulcan

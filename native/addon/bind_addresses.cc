#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/bind.h"
#include "addon/convert_network.h"
#include "addon/task.h"
#include "engine/left_connections.h"
#include "engine/reservation.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] AddressStoreRequest ParseStoreRequest(const Fields& fields) {
  return {fields.String("directory"), std::chrono::milliseconds(fields.Integer<std::uint32_t>("timeoutMs")),
          UnreadyStore::kChange};
}

struct Reservation {
  std::string directory;
  AddressStoreRequest store;
  AddressPlan plan;
};

struct Release {
  AddressStoreRequest store;
  std::string owner;
  std::optional<std::vector<IpAddress>> addresses;
};

[[nodiscard]] std::vector<std::string> ReleaseFrom(AddressStore& store, const Release& release,
                                                   AddressHints& hints) {
  std::vector<IpAddress> released;
  if (!release.addresses) {
    released = store.ReleaseAll(release.owner, hints);
  } else {
    for (const IpAddress& address : *release.addresses) {
      if (store.Release(address, release.owner, hints)) released.push_back(address);
    }
  }
  std::vector<std::string> texts;
  texts.reserve(released.size());
  for (const IpAddress& address : released) texts.push_back(address.ToString());
  return texts;
}

}  // namespace

void BindAddresses(Napi::Object exports, Module& module) {
  AttachmentHost& host = module.Attachments();
  Export(
      exports, module, "addressReserve", LaneName::kControl,
      [](const Fields& fields) {
        return Reservation{fields.String("directory"), ParseStoreRequest(fields), ParseAddressPlan(fields)};
      },
      [&host](Reservation& reservation,
              const Cancellation& cancellation) -> Progress<std::vector<ReservedAddress>> {
        BeginAddressStore(reservation.directory);
        auto store = reservation.store.Try(cancellation);
        if (store.wait) return std::move(*store.wait);
        return ReserveAll(*store.result, reservation.plan, host.Addresses());
      },
      ReservedToJs);
  Export(
      exports, module, "addressRelease", LaneName::kControl,
      [](const Fields& fields) {
        Release release{ParseStoreRequest(fields), fields.String("owner"), std::nullopt};
        if (!IsNull(fields, "ips")) release.addresses = ParseAddresses(fields, "ips");
        return release;
      },
      [&host](Release& release, const Cancellation& cancellation) -> Progress<std::vector<std::string>> {
        Progress<std::vector<std::string>> progress(std::vector<std::string>{});
        UnlessStoreIsMissing([&] {
          auto store = release.store.Try(cancellation);
          if (store.wait) {
            progress = std::move(*store.wait);
          } else {
            progress = ReleaseFrom(*store.result, release, host.Addresses());
          }
        });
        return progress;
      });
  Export(
      exports, module, "addressStoreMake", LaneName::kControl,
      [](const Fields& fields) { return fields.String("directory"); },
      [](const std::string& directory, const Cancellation&) { MakeAddressStore(directory); });
  Export(
      exports, module, "connectionsForget", LaneName::kScan,
      [](const Fields& fields) {
        LeftConnectionsPlan plan{ParseAddresses(fields, "ips"), std::nullopt};
        if (!IsNull(fields, "directory")) plan.store = fields.String("directory");
        return std::make_unique<LeftConnections>(std::move(plan));
      },
      [](const std::unique_ptr<LeftConnections>& left, const Cancellation& cancellation) {
        return left->Step(cancellation);
      });
}

}  // namespace vulcan::addon

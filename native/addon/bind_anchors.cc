#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "addon/bind_sys.h"
#include "addon/convert_anchor.h"
#include "addon/task.h"
#include "base/error.h"
#include "sys/anchor.h"
#include "sys/anchor_directory.h"
#include "sys/holders.h"

namespace vulcan::addon {
namespace {

struct AnchorPlan {
  std::string directory;
  std::string name;
  std::shared_ptr<Lock> lock;
  std::string container;
};

[[nodiscard]] const char* KindName(AnchorKind kind) {
  switch (kind) {
    case AnchorKind::kAbsent:
      return "absent";
    case AnchorKind::kNamespace:
      return "namespace";
    case AnchorKind::kFile:
      return "file";
    case AnchorKind::kOther:
      return "other";
  }
  return "other";
}

[[nodiscard]] const char* ViaName(HoldVia via) {
  switch (via) {
    case HoldVia::kMember:
      return "member";
    case HoldVia::kFd:
      return "fd";
    case HoldVia::kMount:
      return "mount";
  }
  return "member";
}

}  // namespace

Napi::Object AnchorStateToJs(Napi::Env env, const AnchorState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", KindName(state.kind));
  object.Set("inode", Napi::Number::New(env, static_cast<double>(state.id.inode)));
  object.Set("device", Napi::Number::New(env, static_cast<double>(state.id.device)));
  object.Set("claimed", Napi::Boolean::New(env, state.claimed));
  object.Set("container", TextOrNull(env, state.container));
  object.Set("ageMs", Napi::Number::New(env, state.age_ms));
  object.Set("isHost", Napi::Boolean::New(env, state.is_host));
  return object;
}

namespace {

[[nodiscard]] Napi::Value HolderToJs(Napi::Env env, const NamespaceHolder& holder) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, holder.pid));
  object.Set("command", holder.command);
  object.Set("via", ViaName(holder.via));
  return object;
}

[[nodiscard]] Napi::Value MountStateToJs(Napi::Env env, const MountState& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("hostMountNamespace", Napi::Boolean::New(env, state.host_mount_namespace));
  object.Set("shared", Napi::Boolean::New(env, state.shared));
  return object;
}

void BindLife(Napi::Object exports, Module& module) {
  const auto parse = [&locks = module.Locks()](const Fields& plan) {
    return AnchorPlan{plan.String("directory"), plan.String("name"), LockOf(locks, plan),
                      plan.OptionalString("container").value_or("")};
  };
  Export(
      exports, module, "anchorCreate", LaneName::kNamespace, parse,
      [](const AnchorPlan& plan, const Cancellation& cancellation) {
        return CreateAnchor(plan.directory, plan.name, *plan.lock, plan.container, cancellation);
      },
      AnchorStateToJs);
  Export(exports, module, "anchorClaim", LaneName::kNamespace, parse,
         [](const AnchorPlan& plan, const Cancellation&) {
           ClaimAnchor(plan.directory, plan.name, *plan.lock, plan.container);
         });
  Export(exports, module, "anchorRestore", LaneName::kScan, parse,
         [](const AnchorPlan& plan, const Cancellation& cancellation) {
           return RestoreAnchor(plan.directory, plan.name, *plan.lock, cancellation).has_value();
         });
  Export(exports, module, "anchorRemove", LaneName::kNamespace, parse,
         [](const AnchorPlan& plan, const Cancellation&) {
           RemoveAnchor(plan.directory, plan.name, *plan.lock);
         });
}

}  // namespace

void BindAnchors(Napi::Object exports, Module& module) {
  BindLife(exports, module);
  Export(
      exports, module, "anchorState", LaneName::kNamespace,
      [&locks = module.Locks()](const Fields& plan) {
        return AnchorPlan{plan.String("directory"), plan.String("name"), OptionalLockOf(locks, plan), {}};
      },
      [](const AnchorPlan& plan, const Cancellation&) {
        return GetAnchorState(plan.directory, plan.name, plan.lock.get());
      },
      AnchorStateToJs);
  Export(
      exports, module, "anchorList", LaneName::kNamespace,
      [](const Fields& plan) { return std::pair(plan.String("directory"), plan.String("prefix")); },
      [](const std::pair<std::string, std::string>& plan, const Cancellation&) {
        return ListAnchors(plan.first, plan.second);
      });
  Export(
      exports, module, "isHostNamespace", LaneName::kNamespace,
      [](const Fields& plan) { return plan.String("path"); },
      [](const std::string& path, const Cancellation&) { return IsHostNamespace(path); });
  Export(
      exports, module, "mountState", LaneName::kNamespace,
      [](const Fields& plan) { return plan.String("directory"); },
      [](const std::string& directory, const Cancellation&) { return GetMountState(directory); },
      MountStateToJs);
  Export(
      exports, module, "inhabitedNamespaces", LaneName::kScan, [](const Fields&) { return std::monostate{}; },
      [](std::monostate, const Cancellation& cancellation) {
        auto [inodes, unread] = ReadInhabitedNamespaces(cancellation);
        // Without the privilege to look at all of them, those that can be looked at are.
        if (unread != 0 && unread != EACCES && unread != EPERM) throw Error(unread, "readlink").Path("/proc");
        return inodes;
      },
      [](Napi::Env env, const std::set<std::uint64_t>& inodes) {
        return ToArray(env, inodes, [](Napi::Env e, std::uint64_t inode) {
          return Napi::Number::New(e, static_cast<double>(inode));
        });
      });
  Export(
      exports, module, "namespaceHolders", LaneName::kScan,
      [](const Fields& plan) {
        std::vector<NamespaceId> ids;
        for (const Fields& each : plan.Objects("namespaces")) {
          ids.push_back({each.Integer<std::uint64_t>("device"), each.Integer<std::uint64_t>("inode")});
        }
        return ids;
      },
      [](const std::vector<NamespaceId>& ids, const Cancellation& cancellation) {
        return FindHolders(ids, cancellation);
      },
      [](Napi::Env env, const std::vector<std::vector<NamespaceHolder>>& all) {
        return ToArray(env, all, [](Napi::Env e, const std::vector<NamespaceHolder>& holders) {
          return ToArray(e, holders, HolderToJs);
        });
      });
}

}  // namespace vulcan::addon

#include "engine/link_plan.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <functional>

#include "base/undo.h"
#include "engine/namespace_socket.h"
#include "netlink/link.h"
#include "netlink/link_group.h"

namespace vulcan {
namespace {

// A link that goes away in the middle is as good as one that was not there.
bool OnLink(const std::optional<std::string>& netns, const std::string& name,
            const std::optional<std::string>& alias,
            const std::function<void(RtnlSocket&, const Link&)>& change) {
  RtnlSocket socket = OpenRtnlSocket(netns);
  const auto link = FindLink(socket, name);
  if (!link || (alias && link->alias != *alias)) return false;
  try {
    change(socket, *link);
  } catch (Error& error) {
    if (error.Errnum() == ENODEV) return false;
    throw error.Path(name);
  }
  return true;
}

LinkChange UpOrDown(bool up) {
  LinkChange change;
  change.up = up;
  return change;
}

void GiveName(RtnlSocket& socket, int index, const std::string& name) {
  LinkChange change;
  change.name = name;
  try {
    socket.Request(SetLink(index, change));
  } catch (const Error& error) {
    if (error.Errnum() != EEXIST) throw;
    throw Error(EEXIST, RtnlTypeName(RTM_SETLINK), "another link has the name " + name);
  }
}

// A kernel before Linux 6.2 renames only what is down.
void Rename(RtnlSocket& socket, int index, const std::string& name) {
  try {
    GiveName(socket, index, name);
    return;
  } catch (const Error& error) {
    if (error.Errnum() != EBUSY) throw;
  }
  socket.Request(SetLink(index, UpOrDown(false)));
  UndoStack undo;
  undo.Push([&] { socket.Request(SetLink(index, UpOrDown(true))); });
  try {
    GiveName(socket, index, name);
  } catch (Error& error) {
    undo.Unwind(error);
    throw;
  }
  socket.Request(SetLink(index, UpOrDown(true)));
}

}  // namespace

bool ChangeLink(const LinkPlan& plan) {
  return OnLink(plan.netns, plan.name, std::nullopt, [&](RtnlSocket& socket, const Link& link) {
    const int index = link.index;
    if (plan.new_name) Rename(socket, index, *plan.new_name);
    LinkChange change = plan.change;
    if (plan.master) {
      const auto bridge = FindLink(socket, *plan.master);
      if (!bridge)
        throw Error(ENOENT, RtnlTypeName(RTM_GETLINK), "there is no such bridge").Path(*plan.master);
      change.master = bridge->index;
    }
    if (plan.cut) socket.Request(*plan.cut ? CutPort(index) : ReopenPort(index));
    if (plan.port_options || (plan.guest_port && link.port_state >= 0)) {
      socket.Request(SetBridgePort(plan.new_name.value_or(plan.name), plan.port_options));
      change.group = kGuestPortGroup;
    }
    if (!change.IsEmpty()) socket.Request(SetLink(index, change));
  });
}

bool DeleteLink(const std::optional<std::string>& netns, const std::string& name,
                const std::optional<std::string>& alias) {
  return OnLink(netns, name, alias,
                [](RtnlSocket& socket, const Link& link) { socket.Request(DelLink(link.index)); });
}

}  // namespace vulcan

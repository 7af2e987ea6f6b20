#include "plugin/vm_interface.h"

namespace vulcan::plugin {

std::vector<std::string> InterfacesIn(const Result& result, const std::string& sandbox) {
  std::vector<std::string> names;
  for (const Interface& interface : result.interfaces) {
    if (interface.sandbox == sandbox) names.push_back(interface.name);
  }
  return names;
}

void AppendVmInterface(Result& result, const VmInterface& vm) {
  Interface tap;
  tap.name = vm.tap;
  tap.sandbox = vm.netns;
  Interface guest;
  guest.name = vm.tap;
  guest.mac = vm.mac;
  guest.sandbox = vm.container_id;

  std::vector<Ip> copies;
  for (const Ip& ip : result.ips) {
    if (!ip.interface) continue;
    const Interface& owner = result.interfaces[*ip.interface];
    if (owner.name == vm.ifname && owner.sandbox == vm.netns) copies.push_back(ip);
  }
  result.interfaces.push_back(std::move(tap));
  result.interfaces.push_back(std::move(guest));
  for (Ip copy : copies) {
    copy.interface = result.interfaces.size() - 1;
    result.ips.push_back(copy);
  }
}

}  // namespace vulcan::plugin

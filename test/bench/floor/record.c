// libcni's cache record, as `cniCacheV1`.
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "floor.h"

enum { kMacText = 18 };

static void RecordName(char* name, size_t size, const struct Network* network, const struct Vm* vm) {
  snprintf(name, size, "%s-%s-eth0", network->name, vm->id);
}

static void MacText(char* text, const uint8_t* mac) {
  snprintf(text, kMacText, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static size_t Format(char* text, size_t size, const struct Network* network, const struct Vm* vm) {
  char host_mac[kMacText], guest_mac[kMacText], address[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN],
      netns[128];
  MacText(host_mac, vm->host_mac);
  MacText(guest_mac, vm->guest_mac);
  inet_ntop(AF_INET, &vm->address, address, sizeof address);
  inet_ntop(AF_INET, &network->gateway, gateway, sizeof gateway);
  snprintf(netns, sizeof netns, "%s/vulcan-%s", network->netns_path, vm->id);
  return (size_t)snprintf(
      text, size,
      "{\"kind\":\"cniCacheV1\",\"containerId\":\"%s\",\"config\":\"%s\",\"ifName\":\"eth0\",\"networkName\":"
      "\"%s\","
      "\"netns\":\"%s\",\"result\":{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"%s\"},"
      "{\"mac\":\"%s\",\"name\":\"%s\"},{\"mac\":\"%s\",\"name\":\"eth0\",\"sandbox\":\"%s\"},"
      "{\"name\":\"tap0\",\"sandbox\":\"%s\"},{\"mac\":\"%s\",\"name\":\"tap0\",\"sandbox\":\"%s\"}],"
      "\"ips\":[{\"address\":\"%s/%d\",\"gateway\":\"%s\",\"interface\":2},"
      "{\"address\":\"%s/%d\",\"gateway\":\"%s\",\"interface\":4}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}",
      vm->id, network->config_base64, network->name, netns, network->bridge, host_mac, vm->host_link,
      guest_mac, netns, netns, guest_mac, vm->id, address, network->prefix_length, gateway, address,
      network->prefix_length, gateway);
}

int RecordExists(const struct Network* network, const struct Vm* vm, int directory) {
  char name[160];
  RecordName(name, sizeof name, network, vm);
  return faccessat(directory, name, F_OK, 0) == 0;
}

void WriteRecord(const struct Network* network, const struct Vm* vm, int directory) {
  char name[160], temporary[168], text[4096];
  RecordName(name, sizeof name, network, vm);
  snprintf(temporary, sizeof temporary, ".%s.tmp", name);
  const size_t length = Format(text, sizeof text, network, vm);
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int file = Checked(openat(directory, temporary, flags, 0600), "make the record");
  Checked((int)write(file, text, length), "write the record");
  close(file);
  Checked(renameat(directory, temporary, directory, name), "name the record");
}

void RemoveRecord(const struct Network* network, const struct Vm* vm) {
  char name[160];
  RecordName(name, sizeof name, network, vm);
  const int directory = OpenDirectory(network->record_path);
  Checked(unlinkat(directory, name, 0), "remove the record");
  close(directory);
}

#include "nft/table.h"

#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include <charconv>

#include "base/error.h"
#include "nft/handle.h"
#include "nft/userdata.h"

namespace vulcan::nft {
namespace {

TableHandle Named(const Table& table) {
  auto handle = Own<TableHandle>(nftnl_table_alloc());
  nftnl_table_set_u32(handle.get(), NFTNL_TABLE_FAMILY, table.family);
  nftnl_table_set_str(handle.get(), NFTNL_TABLE_NAME, table.name.c_str());
  return handle;
}

Payload Build(const TableHandle& handle) {
  return [table = handle.get()](nlmsghdr* header) { nftnl_table_nlmsg_build_payload(header, table); };
}

}  // namespace

std::string LayoutComment(std::string_view prefix, int layout) {
  return std::string(prefix) + std::to_string(layout);
}

int ParseLayout(std::string_view prefix, const std::string& comment) {
  if (!comment.starts_with(prefix)) return 0;
  int layout = 0;
  std::from_chars(comment.data() + prefix.size(), comment.data() + comment.size(), layout);
  return layout;
}

void AddTable(Batch& batch, const Table& table, const std::string& comment) {
  const TableHandle handle = Named(table);
  UserData data;
  data.Text(NFTNL_UDATA_TABLE_COMMENT, comment);
  nftnl_table_set_data(handle.get(), NFTNL_TABLE_USERDATA, data.Data(), data.Size());
  nftnl_table_set_u32(handle.get(), NFTNL_TABLE_FLAGS, 0);
  batch.Add(NFT_MSG_NEWTABLE, table.family, NLM_F_CREATE, "table " + table.name, Build(handle));
}

void DeleteTable(Batch& batch, const Table& table) {
  const TableHandle handle = Named(table);
  batch.Add(NFT_MSG_DELTABLE, table.family, 0, "table " + table.name, Build(handle));
}

std::optional<PresentTable> ReadTable(Socket& socket, const Table& table) {
  const TableHandle wanted = Named(table);
  const auto message = socket.Get(NFT_MSG_GETTABLE, table.family, Build(wanted));
  if (!message) return std::nullopt;
  const auto handle = Own<TableHandle>(nftnl_table_alloc());
  if (!AreTexts(Header(*message), {NFTA_TABLE_NAME}) ||
      nftnl_table_nlmsg_parse(Header(*message), handle.get()) < 0)
    throw Error(EBADMSG, "NFT_MSG_GETTABLE");
  std::uint32_t size = 0;
  const void* data = nftnl_table_get_data(handle.get(), NFTNL_TABLE_USERDATA, &size);
  return PresentTable{nftnl_table_get_u64(handle.get(), NFTNL_TABLE_HANDLE),
                      data == nullptr ? std::string() : ReadText(data, size, NFTNL_UDATA_TABLE_COMMENT)};
}

}  // namespace vulcan::nft

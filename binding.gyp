# How users build; native/CMakeLists.txt is for development.
{
  'target_defaults': {
    'include_dirs': ['native'],
    'cflags_cc!': ['-std=gnu++17', '-fno-rtti', '-fno-exceptions'],
    'cflags_cc': [
      '-std=c++20', '-fvisibility=hidden', '-fstack-protector-strong',
      '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2',
    ],
    'ldflags': ['-Wl,-z,relro,-z,now,-z,noexecstack', '-Wl,--as-needed'],
  },
  'targets': [
    {
      'target_name': 'vulcan_net',
      'dependencies': ['<!(node -p "require(\'node-addon-api\').targets"):node_addon_api_except'],
      'sources': ['<!@(node native/sources.cjs base sys netlink nft engine addon)'],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc': ['<!@(pkg-config --cflags libnl-3.0 libnl-route-3.0 libnftnl libmnl)'],
      'libraries': ['<!@(pkg-config --libs libnl-3.0 libnl-route-3.0 libnftnl libmnl)'],
    },
    {
      'target_name': 'tc-redirect-tap',
      'type': 'executable',
      'product_dir': '<(PRODUCT_DIR)/plugins',
      'sources': [
        '<!@(node native/sources.cjs base sys netlink plugin)',
        'native/engine/redirect.cc', 'native/engine/redirect_removal.cc',
      ],
      'cflags_cc': ['-fPIE', '<!@(pkg-config --cflags libnl-3.0 nlohmann_json)'],
      'ldflags': ['-pie', '-pthread'],
      'libraries': ['<!@(pkg-config --libs libnl-3.0)'],
    },
  ],
}

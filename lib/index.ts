/// <reference types="node" preserve="true" />
export type { AbortErrorFields, NetworkErrorFields, PluginFailure } from './errors.ts';
export { AbortError, type ErrorCode, errorTable, isNetworkError, NetworkError } from './errors.ts';
export {
  type FirecrackerInterface,
  type FirecrackerInterfaceOptions,
  type FirecrackerNetworkOverride,
  firecrackerInterface,
  firecrackerNetworkOverrides,
  type KernelIpOptions,
  kernelIpArgument,
} from './firecracker.ts';
export { NetworkManager } from './network-manager.ts';
export type {
  PluginRunEvent,
  PoolChange,
  PoolEvent,
  PoolFailedEvent,
  SetupEvent,
  TeardownEvent,
  VerbEvent,
} from './observe.ts';
export type {
  AddressRangeOption,
  CloseSignal,
  GcOptions,
  NetworkManagerOptions,
  PoolOptions,
  RouteOption,
  SetupOptions,
  TeardownOptions,
  VerbOptions,
} from './options.ts';
export type {
  Attachment,
  AttachmentState,
  BackendName,
  CheckReport,
  Departure,
  Difference,
  DifferenceSubject,
  GcReport,
  HostAccessRule,
  LatencySummary,
  Logger,
  ManagerStats,
  NetworkAddress,
  NetworkConfig,
  NetworkDns,
  NetworkLayout,
  NetworkRoute,
  Operation,
  Origin,
  PoolState,
  RecoveryReport,
  Removed,
  RepairReport,
  TapOwner,
  VerifyFinding,
  VerifyPlugin,
  VerifyReport,
} from './types.ts';

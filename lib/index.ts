export {
  AbortError,
  type ErrorCode,
  errorTable,
  isNetworkError,
  NetworkError,
  type PluginFailure,
} from './errors.ts';
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
export type * from './options.ts';
export type * from './types.ts';

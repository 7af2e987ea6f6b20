export type { NetworkErrorFields, PluginFailure } from './errors.ts';
export { AbortError, type ErrorCode, errorTable, isNetworkError, NetworkError } from './errors.ts';

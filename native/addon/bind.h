#pragma once

#include <napi.h>

namespace vulcan::addon {

class Module;

// Each exports the functions of its floor, as lib/native declares them.
void BindSys(Napi::Object exports, Module& module);
void BindNetlink(Napi::Object exports, Module& module);
void BindEngine(Napi::Object exports, Module& module);
void BindNft(Napi::Object exports, Module& module);
void BindAttachment(Napi::Object exports, Module& module);
void BindSlots(Napi::Object exports, Module& module);
void BindRecycling(Napi::Object exports, Module& module);
void BindGuard(Napi::Object exports, Module& module);
void BindSurvey(Napi::Object exports, Module& module);
void BindAddresses(Napi::Object exports, Module& module);

}  // namespace vulcan::addon

#define MINIAUDIO_IMPLEMENTATION
// What of it is left out is named in CMakeLists.txt, for this file and those that use it.
#include <miniaudio/miniaudio.h>

# Cross-building for 64-bit ARM boards on Debian: g++-aarch64-linux-gnu, and the libraries of the other architecture
# (dpkg --add-architecture arm64; docs/board.md lists them). Tests run under qemu-user when it is there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Programs of this machine, libraries of the board. Debian's multiarch puts both under /usr; headers are shared.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu /)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_IGNORE_PATH /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)

find_program(SLIPWAY_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
if(SLIPWAY_QEMU)
  # The loader and the C library of one package, /lib's: the cross-compiler's loader (-L) with it hangs after fork.
  set(CMAKE_CROSSCOMPILING_EMULATOR ${SLIPWAY_QEMU})
endif()

/* The version of Lockstep; CMakeLists.txt reads it from here. */
#ifndef LOCKSTEP_VERSION_H
#define LOCKSTEP_VERSION_H

#define LS_VERSION "0.1.0"

#endif

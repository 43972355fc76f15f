/* wtr/export.h - marks what the library exports. */
#ifndef WTR_EXPORT_H
#define WTR_EXPORT_H

#if defined(__GNUC__)
#define WTR_API __attribute__((visibility("default")))
#else
#define WTR_API
#endif

#endif

#ifndef CProcessor_H
#define CProcessor_H
#endif

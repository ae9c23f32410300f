#ifndef CVector_H
#define CVector_H
#endif

@NullMarked
package com.acme.fraud;

import org.jspecify.annotations.NullMarked;

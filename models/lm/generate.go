package lm

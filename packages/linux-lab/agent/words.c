/*
 * The words of the protocol. Numbers are decimal, or hexadecimal after `0x`; `@2+4096` is what the third operation of the same
 * line answered, plus 4096. Bytes are written as two hexadecimal digits each.
 */
#include "agent.h"

#include <string.h>

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

/* Cuts the next word off; NULL at the end of the operation. */
char *next_word(struct words *words)
{
	char *word = words->next;

	while (*word == ' ')
		word++;
	if (*word == '\0') {
		words->next = word;
		return NULL;
	}
	words->next = word + strcspn(word, " ");
	if (*words->next != '\0')
		*words->next++ = '\0';
	return word;
}

/* Reads an unsigned number up to `end`; 0 or -1. It may have all 64 bits. */
static int read_unsigned(const char *digits, const char *end, uint64_t *number)
{
	uint64_t base = 10;

	if (end - digits > 2 && digits[0] == '0' && digits[1] == 'x') {
		base = 16;
		digits += 2;
	}
	if (digits == end)
		return -1;
	*number = 0;
	for (; digits < end; digits++) {
		int value = digit_value(*digits);

		if (value < 0 || (uint64_t)value >= base)
			return -1;
		*number = *number * base + (uint64_t)value;
	}
	return 0;
}

/* Reads a number, or a reference to an earlier answer; 0 or -1. */
int read_number(const struct earlier *earlier, const char *word, int64_t *number)
{
	const char *end = word + strlen(word);
	uint64_t value = 0;

	if (*word == '@') {
		const char *plus = word + strcspn(word, "+");
		uint64_t index;

		if (read_unsigned(word + 1, plus, &index) < 0 || index >= earlier->count)
			return -1;
		if (*plus == '+' && read_unsigned(plus + 1, end, &value) < 0)
			return -1;
		*number = (int64_t)((uint64_t)earlier->answer[index] + value);
		return 0;
	}
	if (*word == '-') {
		if (read_unsigned(word + 1, end, &value) < 0)
			return -1;
		*number = (int64_t)(0 - value);
		return 0;
	}
	if (read_unsigned(word, end, &value) < 0)
		return -1;
	*number = (int64_t)value;
	return 0;
}

/* Turns digits into the bytes that they stand for, in place and with a zero byte behind them; 0 or -1. */
int decode_bytes(char *word, size_t *length)
{
	size_t at = 0;

	for (; word[2 * at] != '\0'; at++) {
		int high = digit_value(word[2 * at]);
		int low = high < 0 ? -1 : digit_value(word[2 * at + 1]);

		if (low < 0)
			return -1;
		word[at] = (char)(high << 4 | low);
	}
	word[at] = '\0';
	*length = at;
	return 0;
}

static void put_character(struct text *text, char character)
{
	if (text->length + 1 >= text->room) {
		text->is_full = 1;
		return;
	}
	text->start[text->length++] = character;
	text->start[text->length] = '\0';
}

void put_text(struct text *text, const char *added)
{
	while (*added != '\0')
		put_character(text, *added++);
}

void put_number(struct text *text, int64_t number)
{
	char digits[24];
	char *digit = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	*--digit = '\0';
	do {
		*--digit = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (number < 0)
		*--digit = '-';
	put_text(text, digit);
}

void put_hexadecimal(struct text *text, uint64_t number)
{
	char digits[20];
	char *digit = digits + sizeof(digits);

	*--digit = '\0';
	do {
		*--digit = "0123456789abcdef"[number & 15];
		number >>= 4;
	} while (number != 0);
	put_text(text, "0x");
	put_text(text, digit);
}

void put_bytes(struct text *text, const unsigned char *bytes, size_t length)
{
	for (size_t at = 0; at < length; at++) {
		put_character(text, "0123456789abcdef"[bytes[at] >> 4]);
		put_character(text, "0123456789abcdef"[bytes[at] & 15]);
	}
}

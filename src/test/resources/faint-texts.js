// The visible texts whose contrast with what is behind them is below 4.5 to 1.
const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([red, green, blue]) =>
  0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
const background = (element) => {
  const colour = numbers(getComputedStyle(element).backgroundColor);
  return colour[3] === 0 ? background(element.parentElement) : colour;
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const faint = [];
while (texts.nextNode()) {
  const text = texts.currentNode;
  const element = text.parentElement;
  if (text.textContent.trim() && element.checkVisibility()) {
    const [darker, lighter] = [luminance(numbers(getComputedStyle(element).color)), luminance(background(element))]
      .sort((one, other) => one - other);
    if ((lighter + 0.05) / (darker + 0.05) < 4.5) {
      faint.push(text.textContent.trim());
    }
  }
}
return faint;

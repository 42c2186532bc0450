// Where a VAE draws its latents from: N(0, I), or a mixture of Gaussians fitted to its codes.

/** A mixture sum_k w_k N(m_k, L_k L_k'), and the temperature at which its run draws samples. */
export class Mixture {
  /** `cholesky` has the rows of each L_k, without the zeros right of the diagonal. */
  constructor({ temperature, weights, means, cholesky, classes }) {
    Object.assign(this, { temperature, weights, means, cholesky, classes });
    this.size = means.length / weights.length;
  }

  /** m_k + L_k noise, with the component k that a uniform number falls on. */
  latent(noise, uniform, label) {
    const component = this.choose(uniform, label),
      { size } = this;
    const z = this.means.slice(component * size, (component + 1) * size);
    let at = (component * size * (size + 1)) / 2;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column <= row; column++) z[row] += this.cholesky[at++] * noise[column];
    }
    return z;
  }

  choose(uniform, label) {
    let last = 0,
      sum = 0;
    for (let k = 0; k < this.weights.length; k++) {
      if (this.classes && this.classes[k] !== label) continue;
      last = k;
      sum += this.weights[k];
      if (uniform < sum) return k;
    }
    return last;
  }
}

struct parcel
{
    void *data, *data_end;
    unsigned int weight;
};

long long parcel_price(const struct parcel *parcel, unsigned long long rate)
{
    return parcel->weight * rate;
}
